"""The architecture is the one that the service promises."""

import pytest
import torch
from torch import nn

from export.model import ARCHITECTURES, Cnn, CnnTransformer, SelfAttention


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_images_become_ten_logits(name: str, count: int) -> None:
    """float32 (N, 1, 28, 28) to (N, 10)."""
    network = ARCHITECTURES[name]().eval()
    assert network(torch.zeros(count, 1, 28, 28)).shape == (count, 10)


def test_the_transformer_keeps_within_its_size() -> None:
    """At most 2.0 MB of fp32 parameters."""
    assert sum(parameter.numel() for parameter in CnnTransformer().parameters()) * 4 <= 2_000_000


def test_the_cnn_keeps_within_its_size() -> None:
    """At most 0.4 MB, with the statistics of its norms."""
    assert sum(tensor.numel() for tensor in Cnn().state_dict().values()) * 4 <= 400_000


def test_the_operator_that_is_exported_attends_as_the_products_do() -> None:
    """ONNX's Attention, as torch runs it, against what was trained."""
    layer = SelfAttention(128, 4)
    parts = torch.randn(3, 2, 25, 128, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(layer._operator(*parts), layer._products(*parts), atol=1e-5)


def test_the_stem_is_two_convolutions() -> None:
    """1 to 32 and 32 to 64 channels, 3 x 3, each with ReLU and 2 x 2 max pooling."""
    network = CnnTransformer()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size) for c in convolutions] == [(1, 32, (3, 3)), (32, 64, (3, 3))]
    assert [m.kernel_size for m in network.modules() if isinstance(m, nn.MaxPool2d)] == [2, 2]


def test_attention_agrees_with_torchs_own() -> None:
    """nn.MultiheadAttention, given the same weights, is the oracle."""
    ours = SelfAttention(128, 4)
    theirs = nn.MultiheadAttention(128, 4, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.out.weight,
            "out_proj.bias": ours.out.bias,
        }
    )
    tokens = torch.randn(3, 25, 128, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(ours(tokens.flatten(0, 1)), theirs(tokens, tokens, tokens)[0].flatten(0, 1), atol=1e-5)
