"""What PyTorch computes, for test/models/network-parity.test.ts.

    python3 -m venv /tmp/parity && /tmp/parity/bin/pip install torch numpy
    node test/models/data/network-dump.ts /tmp/parity
    /tmp/parity/bin/python test/models/data/network-parity.py /tmp/parity > test/models/data/network-parity.json
"""

import json
import math
import sys

import numpy
import torch

INPUTS, HIDDEN, CLASSES, STEPS, ROWS = 3, 4, 3, 5, 4
LEARNING = dict(steps=30, hidden=32, rows=64, epochs=6, rate=5e-3)
SEEDS = 6
CLIP = 0.05


class Network(torch.nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, hidden)
        self.head = torch.nn.Linear(hidden, classes)
        torch.nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, x, every=False):
        told, _ = self.lstm(x)
        return self.head(told if every else told[-1])


def reorder(blocks, order):
    """Gates along the first axis, of PyTorch (input, forget, cell, output) or of ONNX."""
    parts = torch.chunk(blocks, 4)
    return torch.cat([parts[at] for at in order])


TO_ONNX, TO_TORCH = [0, 3, 1, 2], [0, 2, 3, 1]


def flatten(network, of):
    """One vector: input, recurrent, bias, head, head bias; weights multiply from the right."""
    lstm, head = network.lstm, network.head
    gates = [reorder(of(p), TO_ONNX) for p in (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0)]
    parts = [gates[0].T, gates[1].T, gates[2], of(head.weight).T, of(head.bias)]
    return [float(v) for part in parts for v in part.detach().reshape(-1)]


def cross_entropy(logits, targets, weights):
    agreed = (targets * torch.log_softmax(logits, -1)).sum(-1)
    return -(agreed * weights).sum() / weights.sum()


def numbers(tensor):
    return [round(float(v), 9) for v in tensor.detach().reshape(-1)]


def small(every):
    torch.manual_seed(1)
    network = Network(INPUTS, HIDDEN, CLASSES).double()
    x = torch.randn(STEPS, ROWS, INPUTS, dtype=torch.double, requires_grad=True)
    shape = (STEPS, ROWS) if every else (ROWS,)
    targets = torch.softmax(torch.randn(*shape, CLASSES, dtype=torch.double), -1)
    weights = torch.rand(*shape, dtype=torch.double)
    weights.reshape(-1)[1] = 0
    theta = flatten(network, lambda p: p)
    logits = network(x, every)
    loss = cross_entropy(logits, targets, weights)
    loss.backward()
    found = dict(
        theta=theta,
        inputs=numbers(x),
        targets=numbers(targets),
        weights=numbers(weights),
        logits=numbers(logits),
        loss=float(loss.detach()),
        gradient=flatten(network, lambda p: p.grad),
        inputGradient=numbers(x.grad),
        clipNorm=CLIP,
        learningRate=0.02,
        losses=[],
    )
    learned = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(learned, lr=0.02)
    for _ in range(10):
        optimiser.zero_grad()
        loss = cross_entropy(network(x, every), targets, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, CLIP)
        optimiser.step()
        found["losses"].append(float(loss.detach()))
    found["lastTheta"] = flatten(network, lambda p: p)
    return found


def windows(path, steps):
    table = numpy.loadtxt(path, delimiter=",", dtype=numpy.float32)
    sequence, index, values = table[:, 0], table[:, 1].astype(int), table[:, 2:]
    missing = numpy.zeros(values.shape[1], numpy.float32)
    missing[16:] = 1
    ends = numpy.flatnonzero(index >= 0)
    taken = numpy.tile(missing, (len(ends), steps, 1))
    for at, end in enumerate(ends):
        rows = numpy.arange(end - steps + 1, end + 1)
        inside = (rows >= 0) & (sequence[numpy.maximum(rows, 0)] == sequence[end])
        taken[at, inside] = values[rows[inside]]
    return torch.from_numpy(taken.transpose(1, 0, 2).copy()), torch.from_numpy(index[ends])


def learn(folder, seed):
    torch.manual_seed(seed)
    x, y = windows(f"{folder}/training.csv", LEARNING["steps"])
    test_x, test_y = windows(f"{folder}/test.csv", LEARNING["steps"])
    hidden, rows, epochs = LEARNING["hidden"], LEARNING["rows"], LEARNING["epochs"]
    network = Network(x.shape[2], hidden, 9)
    with torch.no_grad():
        network.lstm.bias_ih_l0[hidden : 2 * hidden] += 1
    learned = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(learned)
    for epoch in range(epochs):
        order = torch.randperm(len(y))
        for at in range(0, len(y), rows):
            part = order[at : at + rows]
            progress = (epoch + min(at + rows, len(y)) / len(y)) / epochs
            cosine = (1 + math.cos(math.pi * progress)) / 2
            rate = LEARNING["rate"] * min(1, progress / 0.05) * (0.05 + 0.95 * cosine)
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x[:, part]), y[part]).backward()
            torch.nn.utils.clip_grad_norm_(learned, 1)
            optimiser.step()
    with torch.no_grad():
        logits = network(test_x)
    loss = float(torch.nn.functional.cross_entropy(logits, test_y))
    return loss, float((logits.argmax(1) == test_y).float().mean())


def main(folder):
    torch.set_num_threads(1)
    runs = [learn(folder, seed) for seed in range(SEEDS)]
    losses, accuracies = zip(*runs)
    json.dump(
        dict(
            torch=torch.__version__,
            shape=dict(inputs=INPUTS, hidden=HIDDEN, classes=CLASSES, steps=STEPS, rows=ROWS),
            last=small(False),
            each=small(True),
            learning=dict(losses=losses, accuracies=accuracies),
        ),
        sys.stdout,
    )


main(sys.argv[1])
