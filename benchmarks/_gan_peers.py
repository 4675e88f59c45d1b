"""A plain torch loop for the same two networks, as tutorials have it."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


class PlainGAN:
    """Two networks, two optimizers and a DataLoader.

    Parameters
    ----------
    make_generator, make_discriminator : callables
        Return modules, from (noise, classes one-hot) to scaled rows and from (rows,
        classes) to logits.
    latent_dim, n_classes, batch_size, n_epochs, lr, betas, penalty
        As for the estimator.
    """

    def __init__(
        self,
        make_generator,
        make_discriminator,
        *,
        latent_dim=64,
        n_classes=10,
        batch_size=32,
        n_epochs=40,
        lr=0.002,
        betas=(0.5, 0.999),
        penalty=0.1,
        ema=0.999,
    ):
        self.generator, self.discriminator = make_generator(), make_discriminator()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.batch_size, self.n_epochs = batch_size, n_epochs
        self.penalty, self.ema = penalty, ema
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), lr, betas)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr, betas)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.generator,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema),
        )

    def fit(self, X, y):
        """Train on rows scaled to [-1, 1] and class codes."""
        data = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
        loader = DataLoader(data, self.batch_size, shuffle=True)
        self.steps = 0
        for _ in range(self.n_epochs):
            for real, codes in loader:
                condition = functional.one_hot(codes, self.n_classes).to(real.dtype)
                noise = torch.randn(len(real), self.latent_dim, dtype=real.dtype)
                fake = self.generator(noise, condition)
                self.train_discriminator(real, fake.detach(), condition)
                self.train_generator(fake, condition)
                self.average.update_parameters(self.generator)
                self.steps += 1
        return self

    def train_discriminator(self, real, fake, condition):
        real.requires_grad_(self.penalty > 0)
        of_real = self.discriminator(real, condition)
        of_fake = self.discriminator(fake, condition)
        loss = functional.binary_cross_entropy_with_logits(
            of_real, torch.ones_like(of_real)
        ) + functional.binary_cross_entropy_with_logits(
            of_fake, torch.zeros_like(of_fake)
        )
        if self.penalty:
            (slopes,) = torch.autograd.grad(of_real.sum(), real, create_graph=True)
            loss = loss + self.penalty / 2 * slopes.square().sum(1).mean()
        self.d_optimizer.zero_grad()
        loss.backward()
        self.d_optimizer.step()

    def train_generator(self, fake, condition):
        of_fake = self.discriminator(fake, condition)
        loss = functional.binary_cross_entropy_with_logits(
            of_fake, torch.ones_like(of_fake)
        )
        self.g_optimizer.zero_grad()
        loss.backward()
        self.g_optimizer.step()
        self.loss = loss.item()


class Joined(nn.Module):
    """Layers behind the joined columns of two inputs."""

    def __init__(self, sizes, last=None):
        super().__init__()
        layers = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers[:-1], *([last] if last else []))

    def forward(self, x, condition):
        return self.layers(torch.cat([x, condition], 1))


def prepare_plain(X: np.ndarray, y: np.ndarray, n_epochs: int):
    """Run of the plain loop on digits scaled to [-1, 1]."""
    return lambda: PlainGAN(
        lambda: Joined([74, 128, 128, 64], nn.Tanh()),
        lambda: Joined([74, 128, 128, 1]),
        n_epochs=n_epochs,
    ).fit(X, y)
