"""The architectures. Only the networks; training and export are elsewhere."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.onnx.ops import attention

from export.errors import ExportError
from export.smoothing import Smoothing
from service.imaging.normalize import SIDE

CLASSES = 10
TOKENS = 25


class CnnTransformer(nn.Module):
    """A convolutional stem and a transformer encoder over its 5 x 5 output positions.

    Two convolutions are not padded: 28 -> 26 -> 13 -> 11 -> 5. Padding them would give 49 tokens and double the work.
    The other two keep the size; after a pool they cost little. The encoder is pre-norm (Xiong et al. 2020), and the
    mean of its tokens enters the head. There is no dropout: no image is ever seen twice, so it would only slow down
    training.

    The tokens of all images are the rows of one matrix, so that a linear layer with its bias is exported as one node.
    The first pooling precedes its ReLU, the second one follows it; the int8 graph is fastest so.
    """

    def __init__(self, dim: int = 128, heads: int = 4, layers: int = 2, feedforward: int = 256) -> None:
        super().__init__()
        self.smoothing = Smoothing()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.embed = nn.Linear(64, dim)
        self.position = nn.Parameter(torch.randn(1, TOKENS, dim) * 0.02)
        self.encoder = nn.Sequential(*(EncoderLayer(dim, heads, feedforward) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits: float32 (N, 1, 28, 28), standardized, to (N, 10)."""
        features = self.stem(self.smoothing(images)).permute(0, 2, 3, 1).flatten(0, 2)  # (N * 25, 64)
        tokens = flatten_tokens(unflatten_tokens(self.embed(features)) + self.position)  # (N * 25, dim)
        encoded = unflatten_tokens(self.norm(self.encoder(tokens)))  # (N, 25, dim)
        return self.head(encoded.mean(dim=1))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each with a norm before it and a residual connection around it."""

    def __init__(self, dim: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.feedforward = nn.Sequential(nn.Linear(dim, feedforward), nn.ReLU(), nn.Linear(feedforward, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode tokens: (N * 25, dim) to (N * 25, dim)."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.feedforward(self.feedforward_norm(tokens))


class SelfAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017) among the 25 tokens of each image.

    For so few tokens, training is faster with plain matrix products than with `scaled_dot_product_attention`, and
    onnxruntime is faster with ONNX's Attention operator. The export therefore takes another path than training.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Attend within each image: (N * 25, dim) to (N * 25, dim)."""
        query, key, value = unflatten_tokens(self.qkv(tokens)).chunk(3, dim=-1)  # (N, 25, dim)
        attend = self._operator if torch.compiler.is_exporting() else self._products
        return self.out(flatten_tokens(attend(query, key, value)))

    def _operator(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend by ONNX's operator, as the exported file does: (N, 25, dim) each."""
        return attention(query, key, value, q_num_heads=self.heads, kv_num_heads=self.heads, scale=self.scale)[0]

    def _products(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend by matrix products, as training does: (N, 25, dim) each."""
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        weights = (query * self.scale @ key.transpose(-1, -2)).softmax(dim=-1)  # (N, heads, 25, 25)
        return (weights @ value).transpose(1, 2).flatten(2)


def unflatten_tokens(tokens: Tensor) -> Tensor:
    """Split the tokens of a batch by image: (N * 25, d) to (N, 25, d)."""
    return tokens.unflatten(0, (-1, TOKENS))


def flatten_tokens(tokens: Tensor) -> Tensor:
    """Join the tokens of all images in one matrix: (N, 25, d) to (N * 25, d)."""
    return tokens.flatten(0, 1)


class Cnn(nn.Module):
    """Four convolutions and a fully connected head, for the smallest machines.

    The convolutions are not padded: 28 -> 26 -> 24 -> 12 -> 10 -> 8 -> 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.smoothing = Smoothing()
        self.features = nn.Sequential(
            *_convolution(1, 16), *_convolution(16, 32), nn.MaxPool2d(2),
            *_convolution(32, 64), *_convolution(64, 96), nn.MaxPool2d(2),
        )  # fmt: skip
        self.head = nn.Linear(96 * 4 * 4, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits: float32 (N, 1, 28, 28), standardized, to (N, 10)."""
        return self.head(self.features(self.smoothing(images)).flatten(1))


class WideCnn(nn.Module):
    """Unpadded convolutions of one kernel size (An et al. 2020, "An ensemble of simple convolutional neural networks").

    It is too slow to serve. It teaches the models that are served.
    """

    def __init__(self, kernel: int, channels: Sequence[int]) -> None:
        super().__init__()
        layers = [layer for pair in pairwise((1, *channels)) for layer in _convolution(*pair, kernel)]
        self.features = nn.Sequential(*layers)
        side = SIDE - len(channels) * (kernel - 1)
        self.head = nn.Linear(channels[-1] * side * side, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits: float32 (N, 1, 28, 28), standardized, to (N, 10)."""
        return self.head(self.features(images).flatten(1))


def _convolution(channels_in: int, channels_out: int, kernel: int = 3) -> list[nn.Module]:
    """Return an unpadded convolution with batch norm and ReLU."""
    return [nn.Conv2d(channels_in, channels_out, kernel), nn.BatchNorm2d(channels_out), nn.ReLU()]


Architecture = Callable[[], nn.Module]
"""Makes a network with random weights."""

ARCHITECTURES: dict[str, Architecture] = {"cnn-transformer": CnnTransformer, "cnn": Cnn}
"""The models that are served."""

TEACHERS: dict[str, Architecture] = {
    "wide-cnn-3": partial(WideCnn, 3, range(32, 177, 16)),
    "wide-cnn-5": partial(WideCnn, 5, range(32, 161, 32)),
    "wide-cnn-7": partial(WideCnn, 7, range(48, 193, 48)),
}
"""The models that teach them: M3, M5 and M7 of An et al. 2020."""


def find_architecture(name: str) -> Architecture:
    """Return the architecture of a model. Raises ExportError if the name is unknown."""
    known = {**ARCHITECTURES, **TEACHERS}
    if name not in known:
        raise ExportError(f"There is no model {name!r}. The models are {', '.join(known)}.")
    return known[name]
