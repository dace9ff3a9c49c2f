"""The choice of a learning rate in words."""

from jaxnet.evaluation.learning_rate import ChosenRate
from jaxnet.report.words import count


def describe_chosen_rate(chosen: ChosenRate) -> str:
    """Say which learning rate was chosen, among which, why, and what the next larger one does."""
    rates, (_, seeds) = chosen.rates, chosen.outcomes.shape
    place = int((rates == chosen.rate).argmax())
    tried = f"{count(len(rates), 'rate')} from {rates[0]:g} to {rates[-1]:g}"
    parts = [
        f"learning rate {chosen.rate:g}: of {tried} that with the lowest cost of its worst of "
        f"{count(seeds, 'seed')}, {chosen.worst_costs[place]:.2g}",
        _learn(chosen, place),
    ]
    if place + 1 < len(rates):
        parts.append(f"at {rates[place + 1]:g} {_next(chosen, place)}")
    elif not chosen.left_out:
        parts.append("larger rates were not tried")
    if place == 0:
        parts.append("smaller rates were not tried")
    if chosen.left_out:
        larger = f"{min(chosen.left_out):g} or more"
        parts.append(f"a rate of {larger} was not tried: with it the weight decay overshoots")
    return "; ".join(parts)


def _next(chosen: ChosenRate, place: int) -> str:
    """Say why the next larger rate is not the chosen one."""
    if chosen.learning[place + 1] < chosen.learning[place]:
        return _learn(chosen, place + 1)
    return f"that cost is {chosen.worst_costs[place + 1]:.2g}"


def _learn(chosen: ChosenRate, place: int) -> str:
    """Say how many seeds learn at a rate."""
    learning, seeds = int(chosen.learning[place]), chosen.outcomes.shape[1]
    if learning == seeds > 1:
        return f"all {seeds} learn"
    return f"{learning or 'none'} of {seeds} {'learns' if learning <= 1 else 'learn'}"
