"""The architectures, and nothing but the architectures."""

import torch
from torch import Tensor, nn

CLASSES = 10


class CnnTransformer(nn.Module):
    """A convolutional stem and a transformer encoder over the 25 places that it leaves.

    Neither convolution is padded: 28 -> 26 -> 13 -> 11 -> 5. Padding would leave 49 tokens and double the
    work. The encoder is pre-norm (Xiong et al. 2020), and its tokens are averaged before the head.
    Normalisation follows each convolution in training; the exported graph has it folded into the weights.
    """

    def __init__(
        self, dim: int = 128, heads: int = 4, layers: int = 2, feedforward: int = 256, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(1, 32), *_convolution(32, 64))
        self.embed = nn.Linear(64, dim)
        self.position = nn.Parameter(torch.randn(1, 25, dim) * 0.02)
        self.encoder = nn.Sequential(*(EncoderLayer(dim, heads, feedforward, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """float32 (N, 1, 28, 28), standardised, to logits (N, 10)."""
        places = self.stem(image).flatten(2).transpose(1, 2)  # (N, 25, 64)
        tokens = self.encoder(self.embed(places) + self.position)  # (N, 25, dim)
        return self.head(self.norm(tokens).mean(dim=1))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each normalised before and added to its input."""

    def __init__(self, dim: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.feedforward = nn.Sequential(nn.Linear(dim, feedforward), nn.ReLU(), nn.Linear(feedforward, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, dim) to (N, T, dim)."""
        tokens = tokens + self.dropout(self.attention(self.attention_norm(tokens)))
        return tokens + self.dropout(self.feedforward(self.feedforward_norm(tokens)))


class SelfAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017), written as plain matrix products.

    They export to fewer nodes than `scaled_dot_product_attention`, and with so few tokens they train
    faster on a CPU too.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T, dim) to (N, T, dim)."""
        query, key, value = (self._split(part) for part in self.qkv(tokens).chunk(3, dim=-1))  # (N, heads, T, d)
        attention = (query * self.scale @ key.transpose(-1, -2)).softmax(dim=-1)  # (N, heads, T, T)
        return self.out((attention @ value).transpose(1, 2).flatten(2))

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels_in, channels_out, 3), nn.BatchNorm2d(channels_out), nn.ReLU(), nn.MaxPool2d(2)]


ARCHITECTURES: dict[str, type[nn.Module]] = {"cnn-transformer": CnnTransformer}
