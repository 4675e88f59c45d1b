"""
Callbacks of both worlds
========================

scikit-learn's callbacks are registered with ``set_callbacks`` and see the estimator;
skorch's are passed as ``callbacks`` and see skorch's net. One fit can have both.
"""

# %%
# Three callbacks
# ---------------
# ``ScoringMonitor`` (scikit-learn) evaluates any score on the training rows after every
# epoch. ``LRScheduler`` (skorch) wraps the schedules of ``torch.optim``. The third is
# written here: what it records becomes a column of ``history_``.
import warnings

import matplotlib.pyplot as plt
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, LRScheduler

from sknn import MLPClassifier


class WeightNorm(Callback):
    """Record the norm of all parameters after every epoch."""

    def on_epoch_end(self, net, **kwargs):
        """Add the norm to skorch's history."""
        squares = [p.detach().square().sum() for p in net.module_.parameters()]
        net.history.record("weight_norm", float(sum(squares) ** 0.5))


X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)

monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
mlp = MLPClassifier(
    hidden_layer_sizes=(32,),
    max_iter=60,
    n_iter_no_change=60,
    learning_rate_init=1e-2,
    random_state=0,
    callbacks=[LRScheduler(policy="CosineAnnealingLR", T_max=60), WeightNorm()],
)
mlp.set_callbacks(monitor)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 60 epochs are the schedule
    mlp.fit(
        scaler.transform(X_train), y_train, X_val=scaler.transform(X_val), y_val=y_val
    )

# %%
# What they recorded
# ------------------
# The monitor's log has a row for each epoch and one for the whole fit. The validation
# scores are the estimator's own, since ``fit`` was given ``X_val``.
scores = monitor.get_logs().data_as_pandas.query("task_name == 'epoch'")
history = mlp.history_
epochs = history[:, "epoch"]
print(scores[["task_name", "accuracy", "neg_log_loss"]].tail(3))

figure, panels = plt.subplots(ncols=3, figsize=(11, 3.6), layout="constrained")
panels[0].plot(epochs, scores["accuracy"], label="training (monitor)")
panels[0].plot(epochs, mlp.validation_scores_, label="validation")
panels[0].set(title="accuracy", xlabel="epoch")
panels[0].legend()
panels[1].plot(epochs, history[:, "lr"])
panels[1].set(title="learning rate", xlabel="epoch")
panels[2].plot(epochs, history[:, "weight_norm"])
panels[2].set(title="norm of the parameters", xlabel="epoch")
plt.show()
