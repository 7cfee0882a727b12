"""The commands. Each imports what it needs when it runs, so that `regraft inspect` starts without JAX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Open, run and go on training TensorFlow 1 graphs without TensorFlow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def demo(
    steps: Annotated[int, typer.Option(min=1, help="Training steps to add.")] = 400,
) -> None:
    """Go on training a digit classifier that TensorFlow left half trained, save it, and open it again."""
    from regraft.cli.demo import run

    run(steps)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A .meta file, a checkpoint prefix, or a folder that holds them.")],
    nodes: Annotated[int, typer.Option(help="How many entries of each list to show.")] = 20,
) -> None:
    """Show what a saved graph or checkpoint holds. Nothing of it is executed."""
    from regraft.cli.inspect import show

    show(str(path), nodes)


@app.command()
def explain(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .meta file.")],
    fetch: Annotated[list[str], typer.Option(help="A tensor or operation to run; may be repeated.")],
    feed: Annotated[list[str], typer.Option(help="A tensor that is fed; may be repeated.")] = [],  # noqa: B006  # nobody changes it
) -> None:
    """Show how a run would go: its steps, which are compiled, and why others are not. Nothing is executed."""
    from regraft.cli.explain import show

    show(str(path), fetch, feed)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    script: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A Python script written for TensorFlow 1.")
    ],
) -> None:
    """Run a TensorFlow 1 script: in it, `import tensorflow` is Regraft."""
    from regraft.cli.run import run_script

    run_script(str(script), context.args)
