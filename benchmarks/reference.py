"""The reference server: FastAPI and PyTorch on one thread, as such a network is usually served.

It must not change, because results are compared with it. The network is untrained: only its cost matters.
"""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import torch
from fastapi import FastAPI, Request, UploadFile
from PIL import Image
from pydantic import BaseModel
from torch import Tensor, nn

torch.set_num_threads(1)


class Network(nn.Module):
    """Two padded convolutions, and `nn.TransformerEncoder` over the 49 positions that remain."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.embed = nn.Linear(64, 128)
        self.position = nn.Parameter(torch.zeros(1, 49, 128))
        layer = nn.TransformerEncoderLayer(128, 4, dim_feedforward=512, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(128, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Map float32 (N, 1, 28, 28) to logits (N, 10)."""
        tokens = self.embed(self.stem(image).flatten(2).transpose(1, 2)) + self.position
        logits: Tensor = self.head(self.encoder(tokens).mean(dim=1))
        return logits


class Base64(BaseModel):
    """The body of /predict-base64."""

    image: str


app = FastAPI()
network = Network().eval()


@app.post("/predict")
async def predict(request: Request, file: UploadFile | None = None) -> dict[str, Any]:
    """Predict from multipart field `file`, or from an image as the body."""
    return classify(await file.read() if file else await request.body())


@app.post("/predict-base64")
async def predict_base64(body: Base64) -> dict[str, Any]:
    """Predict from base64 at key `image` of a JSON object."""
    return classify(base64.b64decode(body.image))


@torch.inference_mode()
def classify(image_bytes: bytes) -> dict[str, Any]:
    """Apply the usual preprocessing and classify: gray, 28 x 28, inverted if dark on light, standardized."""
    gray = np.asarray(Image.open(BytesIO(image_bytes)).convert("L").resize((28, 28)), np.float32) / 255
    ink = 1 - gray if gray.mean() > 0.5 else gray
    image = torch.from_numpy((ink - 0.1307) / 0.3081)[None, None]
    probabilities = network(image).softmax(dim=1)[0]
    digit = int(probabilities.argmax())
    return {"digit": digit, "confidence": float(probabilities[digit])}
