"""The posture: what is done where no rule of a policy speaks (design, section 7).

| posture | read | exact, equivalent | compensating | none | unregistered, ours | else |
|---|---|---|---|---|---|---|
| careful | allow if registered, else hold | allow | hold | deny | hold | hold |
| balanced | allow | allow | hold if `outside`, else allow | hold | hold | allow |
| open | allow | allow | allow | allow | allow | allow |
"""

from goex_proxy.core.catalog import Classified
from goex_proxy.core.decision import Auth, Decision, Effect, Posture
from goex_proxy.core.operation import Fidelity, Kind


def default(
    posture: Posture, seen: Classified, auth: Auth, fidelity: Fidelity, outside: bool
) -> Decision:
    """The decision of the posture alone, with its reason in words."""
    rule = f"posture:{posture}"
    if posture is Posture.OPEN:
        cautious = default(Posture.BALANCED, seen, auth, fidelity, outside)
        shadow = () if cautious.allowed else (f"{cautious.rule} would {cautious.effect}",)
        return Decision(effect=Effect.ALLOW, rule=rule, reason="the posture is open", shadow=shadow)
    effect, reason = _closed(posture, seen, auth, fidelity, outside)
    return Decision(effect=effect, rule=rule, reason=reason)


def _closed(
    posture: Posture, seen: Classified, auth: Auth, fidelity: Fidelity, outside: bool
) -> tuple[Effect, str]:
    careful = posture is Posture.CAREFUL
    if seen.kind is Kind.READ:
        if careful and not seen.registered:
            return Effect.HOLD, "a read of a service that no reverser file describes"
        return Effect.ALLOW, "a read"
    if not seen.registered:
        if careful or auth is Auth.OURS:
            return Effect.HOLD, "no reverser rule describes this call, so it cannot be undone"
        return (
            Effect.ALLOW,
            "no reverser rule describes this call; it carries none of our credentials",
        )
    if fidelity is Fidelity.NONE:
        effect = Effect.DENY if careful else Effect.HOLD
        return effect, f"{seen.name} cannot be undone"
    if fidelity is Fidelity.COMPENSATING and (careful or outside):
        seen_by = " and is seen by people outside" if outside else ""
        return Effect.HOLD, f"{seen.name} can only be made up for{seen_by}"
    return Effect.ALLOW, f"{seen.name} can be undone ({fidelity})"
