"""The architectures, and nothing but the architectures."""

import torch
from torch import Tensor, nn
from torch.onnx.ops import attention

CLASSES = 10
TOKENS = 25


class CnnTransformer(nn.Module):
    """A convolutional stem and a transformer encoder over the 25 places that it leaves.

    Neither convolution is padded: 28 -> 26 -> 13 -> 11 -> 5. Padding would leave 49 tokens and double the
    work. The encoder is pre-norm (Xiong et al. 2020), and its tokens are averaged before the head. There is no
    dropout: with examples that are never the same twice it only slows learning.

    The tokens of all images are the rows of one matrix: a linear layer is then one node of the exported graph,
    bias and all. The stem rectifies after its first pool and before its second; the int8 graph is fastest so.
    """

    def __init__(self, dim: int = 128, heads: int = 4, layers: int = 2, feedforward: int = 256) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.embed = nn.Linear(64, dim)
        self.position = nn.Parameter(torch.randn(1, TOKENS, dim) * 0.02)
        self.encoder = nn.Sequential(*(EncoderLayer(dim, heads, feedforward) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """float32 (N, 1, 28, 28), standardised, to logits (N, 10)."""
        places = self.stem(image).permute(0, 2, 3, 1).flatten(0, 2)  # (N * 25, 64)
        tokens = together(apart(self.embed(places)) + self.position)  # (N * 25, dim)
        return self.head(apart(self.norm(self.encoder(tokens))).mean(dim=1))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each normalised before and added to its input."""

    def __init__(self, dim: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.feedforward = nn.Sequential(nn.Linear(dim, feedforward), nn.ReLU(), nn.Linear(feedforward, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """(N * 25, dim) to the same."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.feedforward(self.feedforward_norm(tokens))


class SelfAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017) among the 25 tokens of each image.

    It trains as plain matrix products, with so few tokens faster on a CPU than `scaled_dot_product_attention`,
    and is exported as ONNX's own operator, in onnxruntime faster than the products.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N * 25, dim) to the same."""
        query, key, value = apart(self.qkv(tokens)).chunk(3, dim=-1)  # (N, 25, dim)
        attend = self._operator if torch.compiler.is_exporting() else self._products
        return self.out(together(attend(query, key, value)))

    def _operator(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return attention(query, key, value, q_num_heads=self.heads, kv_num_heads=self.heads, scale=self.scale)[0]

    def _products(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        weights = (query * self.scale @ key.transpose(-1, -2)).softmax(dim=-1)  # (N, heads, 25, 25)
        return (weights @ value).transpose(1, 2).flatten(2)


def apart(tokens: Tensor) -> Tensor:
    """The tokens of each image by themselves: (N * 25, d) to (N, 25, d)."""
    return tokens.unflatten(0, (-1, TOKENS))


def together(tokens: Tensor) -> Tensor:
    """The tokens of all images as one matrix: (N, 25, d) to (N * 25, d)."""
    return tokens.flatten(0, 1)


class Cnn(nn.Module):
    """Four convolutions and a fully connected head, for the smallest machines.

    None is padded: 28 -> 26 -> 24 -> 12 -> 10 -> 8 -> 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(1, 16), *_convolution(16, 32), nn.MaxPool2d(2),
            *_convolution(32, 64), *_convolution(64, 96), nn.MaxPool2d(2),
        )  # fmt: skip
        self.head = nn.Linear(96 * 4 * 4, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """float32 (N, 1, 28, 28), standardised, to logits (N, 10)."""
        return self.head(self.features(image).flatten(1))


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels_out, 3), nn.BatchNorm2d(channels_out), nn.ReLU()]


ARCHITECTURES: dict[str, type[nn.Module]] = {"cnn-transformer": CnnTransformer, "cnn": Cnn}
