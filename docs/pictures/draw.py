"""Draws docs/pictures/idle_cash.svg from two runs: ``python docs/pictures/draw.py``."""

from pathlib import Path

from fundclock import Run, Scenario
from fundclock.events.state import State

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 330, 62, 12, 34, 34
COLOURS = {"base": "#b4552d", "instant": "#2f6f8f"}


def idle_by_month(run: Run) -> list[float]:
    """Cash in millions at the end of each month (30.4 days)."""
    state = State()
    levels: list[float] = []
    for record in run.log:
        while record.day > (len(levels) + 1) * 365 / 12:
            levels.append(state.ledger.idle_cents / 1e8)
        state.apply(record)
    return levels


def main() -> None:
    """Play both runs and write the picture."""
    lines = {name: idle_by_month(Scenario.load(name).with_(seed=1).run()) for name in COLOURS}
    top = max(max(levels) for levels in lines.values())
    months = max(len(levels) for levels in lines.values())

    def x(month: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * month / months

    def y(level: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * level / top

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        "<title>Idle cash at the end of each month, base and instant, seed 1</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fffdf8"/>',
    ]
    for level in range(0, int(top) + 1, 2 if top > 6 else 1):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(level):.1f}" y2="{y(level):.1f}" stroke="#e4dfd2"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(level) + 4:.1f}" text-anchor="end" fill="#555">{level} m</text>')
    for year in range(0, months // 12, 2):
        out.append(
            f'<text x="{x(year * 12):.1f}" y="{HEIGHT - 12}" text-anchor="middle" fill="#555">{2026 + year}</text>'
        )
    for place, (name, levels) in enumerate(lines.items()):
        points = " ".join(f"{x(month + 1):.1f},{y(level):.1f}" for month, level in enumerate(levels))
        out.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.8"/>')
        out.append(f'<text x="{LEFT + 110 * place}" y="20" fill="{COLOURS[name]}" font-weight="bold">{name}</text>')
    out.append(f'<text x="{LEFT + 230}" y="20" fill="#555">cash at the end of each month, millions</text></svg>')
    Path(__file__).with_name("idle_cash.svg").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
