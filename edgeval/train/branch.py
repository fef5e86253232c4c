"""One network, its optimiser and its next batches at fixed addresses: the step that a CUDA graph records."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from edgeval.train import loop
from edgeval.train.augment import DRAWS, Augmenter
from edgeval.train.loop import Job, State
from edgeval.train.norms import NormAct, fuse_norms

LOW = (nn.Conv2d, nn.Linear)  # what bf16 lowers, as autocast does
Drawn = tuple[Tensor, Tensor]


class DrawnDropout(nn.Module):
    """Dropout whose mask is drawn outside of the step, so that a branch's numbers do not hang on its neighbours."""

    def __init__(self, p: float, features: int) -> None:
        super().__init__()
        self.p, self.features = p, features
        self.keep: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x * self.keep if self.training and self.keep is not None else x


class Branch:
    """A job on its device, `chunk` steps of which are fed at once; the same code runs on a CPU."""

    def __init__(self, job: Job, data: Augmenter, labels: Tensor, chunk: int) -> None:
        self.job, self.data, self.labels = job, data, labels
        self.exact = next(job.net.parameters()).dtype
        self.low = torch.bfloat16 if job.recipe.precision == "bf16" else self.exact
        self.size = min(job.recipe.batch, len(labels))
        self.steps = max(1, len(labels) // job.recipe.batch)
        self._place(job)
        device = labels.device
        self.index = torch.zeros(chunk, self.size, dtype=torch.long, device=device)
        self.draws = torch.zeros(chunk, DRAWS, self.size, device=device)
        self.epoch_index = torch.zeros(self.steps, self.size, dtype=torch.long, device=device)
        self.epoch_draws = torch.zeros(self.steps, DRAWS, self.size, device=device)
        self.keeps = [torch.ones(chunk, self.size, layer.features, device=device) for layer in self.dropouts]
        self.rate = torch.zeros((), device=device, dtype=self.exact)
        self.total = torch.zeros((), device=device)
        self.generator = torch.Generator(device)

    def _place(self, job: Job) -> None:
        """Network, master weights, momentum and gradients on the device."""
        net = job.net
        if job.start:
            net.load_state_dict(loop.weights(job.start))
        net = _drawn(fuse_norms(net)).to(job.device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.net: nn.Module = net
        self.names = [name for name, _ in net.named_parameters()]
        masters = [parameter.detach().clone() for parameter in net.parameters()]
        self.low_at: list[int] = []
        if self.low != self.exact:
            for module in net.modules():
                if isinstance(module, LOW):
                    module.to(self.low)
            self.low_at = [at for at, p in enumerate(net.parameters()) if p.dtype == self.low]
        self.working = list(net.parameters())
        low = set(self.low_at)
        self.masters = [mine if at in low else self.working[at].detach() for at, mine in enumerate(masters)]
        self.momenta = [torch.zeros_like(master) for master in self.masters]
        self.gradients = [torch.zeros_like(master) for master in self.masters]
        if job.start:
            for name, momentum in zip(self.names, self.momenta, strict=True):
                momentum.copy_(job.start.tensors.get(f"momentum.{name}", momentum))
        norms = [module for module in net.modules() if isinstance(module, NormAct)]
        for norm in norms:
            norm.counts = False
        self.counters = [norm.num_batches_tracked for norm in norms if norm.num_batches_tracked is not None]
        self.dropouts = [module for module in net.modules() if isinstance(module, DrawnDropout)]

    def step(self, k: int) -> None:
        """Step k of the chunk: augmentation, forward, loss, backward, SGD. Nothing here waits for the device."""
        for layer, keep in zip(self.dropouts, self.keeps, strict=True):
            layer.keep = keep[k].to(self.low)
        logits = self.net(self._images(k))
        loss = nn.functional.cross_entropy(logits.to(self.exact), self.labels[self.index[k]])
        found = torch.autograd.grad(loss, self.working)
        with torch.no_grad():
            self._update(found)
            self.total.add_(loss.detach())

    def _images(self, k: int) -> Tensor:
        if self.labels.is_cuda and find_spec("triton"):
            from edgeval.train import augment_kernel

            return augment_kernel.images(self.data, self.index[k], self.draws[k], self.low)
        return self.data.images(self.index[k], self.draws[k]).to(self.low)

    def _update(self, found: tuple[Tensor, ...]) -> None:
        """SGD with momentum and weight decay, as torch.optim.SGD; its buffers start at zero, which is the same."""
        recipe = self.job.recipe
        torch._foreach_copy_(self.gradients, found)
        torch._fused_sgd_(
            self.masters,
            self.gradients,
            self.momenta if recipe.momentum else [],
            weight_decay=recipe.weight_decay,
            momentum=recipe.momentum,
            lr=self.rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )
        if self.low_at:
            torch._foreach_copy_([self.working[at] for at in self.low_at], [self.masters[at] for at in self.low_at])

    def draw(self, epoch: int) -> Drawn:
        """Order and augmentations of an epoch, those of the plain loop, on the host."""
        order = loop.Order(self.job.seed, epoch, len(self.labels))
        index = order.order[: self.steps * self.size].reshape(self.steps, self.size)
        draws = torch.rand(self.steps, DRAWS, self.size, generator=order.generator)
        return (index.pin_memory(), draws.pin_memory()) if self.labels.is_cuda else (index, draws)

    def begin(self, epoch: int, drawn: Drawn) -> None:
        """Put an epoch's order, augmentations and learning rate on the device."""
        self.epoch_index.copy_(drawn[0], non_blocking=True)
        self.epoch_draws.copy_(drawn[1], non_blocking=True)
        self.generator.manual_seed(loop.mix(self.job.seed, epoch) + 1)
        self.rate.fill_(loop.cosine(self.job.recipe, epoch))
        self.total.zero_()
        for counter in self.counters:
            counter.add_(self.steps)

    def feed(self, start: int) -> None:
        """The chunk of steps from `start` becomes the next."""
        stop = start + len(self.index)
        self.index.copy_(self.epoch_index[start:stop])
        self.draws.copy_(self.epoch_draws[start:stop])
        for layer, keep in zip(self.dropouts, self.keeps, strict=True):
            keep.bernoulli_(1 - layer.p, generator=self.generator).div_(1 - layer.p)

    def tensors(self) -> list[Tensor]:
        """Everything that a step changes."""
        working = [self.working[at].detach() for at in self.low_at]
        return [*self.masters, *self.momenta, *working, *self.net.buffers(), self.total]

    def state(self, epoch: int) -> State:
        """The state after an epoch, named and laid out as the plain loop's; waits for the device."""
        named = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        named |= {f"net.{name}": value for name, value in zip(self.names, self.masters, strict=True)}
        if self.job.recipe.momentum:
            named |= {f"momentum.{name}": value for name, value in zip(self.names, self.momenta, strict=True)}
        return State(epoch + 1, float(self.total) / self.steps, on_host(named))


def on_host(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU, one transfer a type."""
    found: dict[str, Tensor] = {}
    for dtype in {value.dtype for value in named.values()}:
        mine = {name: value for name, value in named.items() if value.dtype == dtype}
        flat = torch.cat([value.detach().reshape(-1) for value in mine.values()])
        host = torch.empty(flat.shape, dtype=dtype, pin_memory=flat.is_cuda).copy_(flat)
        parts = torch.split(host, [value.numel() for value in mine.values()])
        found |= {name: part.view(value.shape) for (name, value), part in zip(mine.items(), parts, strict=True)}
    return {name: found[name] for name in named}


def _drawn(net: nn.Module) -> nn.Module:
    """Put a DrawnDropout in the place of every dropout in front of a linear layer."""
    for sequence in [module for module in net.modules() if isinstance(module, nn.Sequential)]:
        for at, layer in enumerate(list(sequence)[:-1]):
            behind = sequence[at + 1]
            if type(layer) is nn.Dropout and isinstance(behind, nn.Linear):
                sequence[at] = DrawnDropout(layer.p, behind.in_features) if layer.p else nn.Identity()
    return net
