"""Tiny models in PyTorch: an MLP, a CNN, one with residuals and one with depthwise convolutions, each with batch norm, too."""

import torch
from torch import nn


def _activated(layers, norm, activation=nn.ReLU):
    return nn.Sequential(*layers, *([norm] if norm else []), activation())


class Mlp(nn.Module):
    image = (1, 6, 6)

    def __init__(self, norm):
        super().__init__()
        self.hidden = _activated([nn.Linear(36, 12)], nn.BatchNorm1d(12) if norm else None)
        self.scores = nn.Linear(12, 5)

    def forward(self, x):
        return torch.softmax(self.scores(self.hidden(torch.flatten(x, 1))), dim=1)


class Cnn(nn.Module):
    """Strides, padding that is not SAME, a dilation, a pool of each kind, and a row made of an image of several channels."""

    image = (3, 12, 10)

    def __init__(self, norm):
        super().__init__()
        batch_norm = (lambda channels: nn.BatchNorm2d(channels)) if norm else (lambda channels: None)
        self.one = _activated([nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=not norm)], batch_norm(4))
        self.two = _activated([nn.Conv2d(4, 6, 3, padding=2, dilation=2)], batch_norm(6))
        self.maximum = nn.MaxPool2d(3, stride=2, padding=1)
        self.mean = nn.AvgPool2d(2, stride=1)
        self.drop = nn.Dropout(0.5)
        self.scores = nn.Linear(6 * 2 * 2, 4)

    def forward(self, x):
        x = self.mean(self.maximum(self.two(self.one(x))))
        return self.scores(self.drop(torch.flatten(x, 1)))


class Residual(nn.Module):
    image = (2, 8, 8)

    def __init__(self, norm):
        super().__init__()
        batch_norm = (lambda channels: nn.BatchNorm2d(channels)) if norm else (lambda channels: nn.Identity())
        self.stem = _activated([nn.Conv2d(2, 6, 3, padding=1)], batch_norm(6))
        self.block = nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=1, bias=not norm),
            batch_norm(6),
            nn.ReLU(),
            nn.Conv2d(6, 6, 3, padding=1, bias=not norm),
            batch_norm(6),
        )
        self.down = nn.Sequential(nn.Conv2d(6, 8, 3, stride=2, padding=1), batch_norm(8))
        self.shortcut = nn.Conv2d(6, 8, 1, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.scores = nn.Linear(8, 3)

    def forward(self, x):
        x = self.stem(x)
        x = torch.relu(x + self.block(x))
        x = torch.relu(self.down(x) + self.shortcut(x))
        return self.scores(torch.flatten(self.pool(x), 1))


class Depthwise(nn.Module):
    """As MobileNet is built: depthwise, then 1 by 1, with relu6; one depthwise layer has two filters for each channel."""

    image = (3, 9, 9)

    def __init__(self, norm):
        super().__init__()
        batch_norm = (lambda channels: nn.BatchNorm2d(channels)) if norm else (lambda channels: None)
        self.one = _activated([nn.Conv2d(3, 6, 3, groups=3, padding=1)], batch_norm(6), nn.ReLU6)
        self.two = _activated([nn.Conv2d(6, 8, 1)], batch_norm(8), nn.ReLU6)
        self.three = _activated([nn.Conv2d(8, 8, 3, groups=8, stride=2)], batch_norm(8), nn.ReLU6)
        self.scores = nn.Linear(8, 4)

    def forward(self, x):
        x = self.three(self.two(self.one(x)))
        return self.scores(x.mean((2, 3)))


MODELS = {"mlp": Mlp, "cnn": Cnn, "residual": Residual, "depthwise": Depthwise}


def build(name, norm, seed):
    """The model in evaluation mode, with statistics and weights that are not those that it starts with."""
    torch.manual_seed(seed)
    model = MODELS[name](norm)
    generator = torch.Generator().manual_seed(seed)

    def numbers(like, low, high):
        return torch.empty_like(like).uniform_(low, high, generator=generator)

    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.copy_(numbers(module.running_mean, -0.5, 0.5))
                module.running_var.copy_(numbers(module.running_var, 0.5, 2.0))
                module.weight.copy_(numbers(module.weight, 0.5, 1.5))
                module.bias.copy_(numbers(module.bias, -0.5, 0.5))
            elif isinstance(module, nn.Conv2d):
                # Twice what they start with: relu6 shall clip something.
                module.weight.mul_(2.0)
    return model.eval()
