"""Trees of LightGBM and scikit-learn on rows that Forestay drew: an optional judge, no part of the product.

usage: python3 bench/support/reference-trees.py FOLDER
FOLDER holds task.json {columns, trainRows, models: [{kind, ...parameters}]}, features.f32 (row-major) and
labels.u8; the rows beyond trainRows are the test rows. Prints {versions, models: [{cpuSeconds, auc, logLoss}]},
logLoss null where scores are no probabilities. Needs numpy, lightgbm, scikit-learn. One thread each.
"""
import json, os, sys, time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np


def auc(scores, labels):
    order = np.argsort(scores, kind="stable")
    values, ranks = scores[order], np.empty(len(scores))
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    for start, end in zip(starts, np.r_[starts[1:], len(values)]):
        ranks[order[start:end]] = (start + end + 1) / 2
    positives = labels.sum()
    return (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def log_loss(risks, labels):
    risks = np.clip(risks, 1e-12, 1 - 1e-12)
    return -np.mean(np.where(labels == 1, np.log(risks), np.log(1 - risks)))


def boosting(train, labels, test, parameters):
    import lightgbm

    rounds = parameters.pop("rounds")
    shared = {"objective": "binary", "num_threads": 1, "verbose": -1, "max_bin": 255, "min_data_in_leaf": 1}
    data = lightgbm.Dataset(train, labels, params={"max_bin": 255, "num_threads": 1, "verbose": -1})
    model = lightgbm.train({**shared, **parameters}, data, rounds)
    return lambda: model.predict(test, num_threads=1)


def random_forest(train, labels, test, parameters):
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_jobs=1, **parameters).fit(train, labels)
    return lambda: model.predict_proba(test)[:, 1]


def isolation_forest(train, labels, test, parameters):
    from sklearn.ensemble import IsolationForest

    fill = np.nanmedian(train, axis=0)
    present = lambda rows: np.where(np.isnan(rows), fill, rows)
    model = IsolationForest(n_jobs=1, **parameters).fit(present(train))
    return lambda: -model.score_samples(present(test))


KINDS = {"boosting": boosting, "randomForest": random_forest, "isolationForest": isolation_forest}


def main():
    folder = sys.argv[1]
    task = json.load(open(os.path.join(folder, "task.json")))
    features = np.fromfile(os.path.join(folder, "features.f32"), np.float32).reshape(-1, task["columns"])
    labels = np.fromfile(os.path.join(folder, "labels.u8"), np.uint8)
    split = task["trainRows"]
    found = []
    for model in task["models"]:
        parameters = {name: value for name, value in model.items() if name != "kind"}
        start = time.process_time()
        predict = KINDS[model["kind"]](features[:split], labels[:split], features[split:], parameters)
        seconds = time.process_time() - start
        scores = np.asarray(predict(), float)
        is_risk = model["kind"] != "isolationForest"
        loss = log_loss(scores, labels[split:]) if is_risk else None
        found.append({"cpuSeconds": seconds, "auc": auc(scores, labels[split:]), "logLoss": loss})
    versions = {"python": sys.version.split()[0]}
    for name in ("lightgbm", "sklearn"):
        if name in sys.modules:
            versions[name] = sys.modules[name].__version__
    json.dump({"versions": versions, "models": found}, sys.stdout)


main()
