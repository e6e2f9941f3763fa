"""The networks have the promised shapes, sizes and attention."""

import pytest
import torch
from torch import nn

from export.errors import ExportError
from export.model import ARCHITECTURES, TEACHERS, Cnn, CnnTransformer, SelfAttention, find_architecture


@pytest.mark.parametrize("name", [*ARCHITECTURES, *TEACHERS])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_images_become_ten_logits(name: str, count: int) -> None:
    """Maps float32 (N, 1, 28, 28) to (N, 10)."""
    network = find_architecture(name)().eval()
    assert network(torch.zeros(count, 1, 28, 28)).shape == (count, 10)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logits_do_not_depend_on_the_rest_of_the_batch(name: str) -> None:
    """Gives each image the logits that it has alone, so tokens of different images are never mixed."""
    torch.manual_seed(0)
    network = find_architecture(name)().eval()
    images = torch.randn(4, 1, 28, 28)
    alone = torch.cat([network(image[None]) for image in images])
    assert torch.allclose(network(images), alone, atol=1e-5)
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)


def test_an_unknown_model_is_rejected() -> None:
    """Names the known models in the error."""
    with pytest.raises(ExportError, match="There is no model 'resnet'. The models are cnn-transformer, cnn."):
        find_architecture("resnet")


def test_the_transformer_keeps_within_its_size() -> None:
    """Has at most 2.0 MB of fp32 parameters."""
    assert sum(parameter.numel() for parameter in CnnTransformer().parameters()) * 4 <= 2_000_000


def test_the_cnn_keeps_within_its_size() -> None:
    """Has at most 0.4 MB of fp32 parameters and batch-norm statistics."""
    assert sum(tensor.numel() for tensor in Cnn().state_dict().values()) * 4 <= 400_000


def test_exported_attention_agrees_with_trained_attention() -> None:
    """Computes the same with ONNX's Attention operator, as PyTorch runs it, and with matrix products."""
    layer = SelfAttention(128, 4)
    query_key_value = torch.randn(3, 2, 25, 128, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(layer._operator(*query_key_value), layer._products(*query_key_value), atol=1e-5)


def test_attention_agrees_with_pytorch() -> None:
    """Computes what nn.MultiheadAttention computes with the same weights."""
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
