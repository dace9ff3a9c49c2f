"""The colours of the outcomes."""

from jaxnet.outcomes import Outcome

# The colour and the meaning of each outcome. The colour-blind can tell the colours apart, from each
# other and mostly from viridis, which colours the networks that learn.
OUTCOME_COLORS: dict[Outcome, tuple[str, str]] = {
    "learning": ("#009E73", "cost below the label entropy"),
    "plateau": ("lightgray", "cost at the label entropy"),
    "slow": ("#CE93D8", "cost above the label entropy, not above the first"),
    "diverged": ("tab:orange", "cost above the label entropy and the first cost"),
    "dead": ("black", "no unit active"),
    "not finite": ("crimson", "overflow"),
}
