"""Two runs at a time in one Dagster home: each hands on its own values."""

from pathlib import Path

import dagster as dg

from assets.run_values import run_values


@dg.asset
def made(context: dg.AssetExecutionContext) -> str:
    """What only this run knows."""
    return context.run.tags["value"]


@dg.asset(deps=[made])
def meddled(context: dg.AssetExecutionContext) -> None:
    """Another run of the same home, while this one is between two of its steps."""
    if context.run.tags["value"] == "own":
        materialize(context.instance, "foreign", [made])


@dg.asset(deps=[meddled])
def read(made: str) -> dg.MaterializeResult[None]:
    """What reaches the next step."""
    return dg.MaterializeResult(metadata={"value": made})


def materialize(
    instance: dg.DagsterInstance,
    value: str,
    assets: list[dg.AssetsDefinition],
    selection: list[str] | None = None,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        assets,
        selection=selection,
        instance=instance,
        tags={"value": value},
        resources={"io_manager": run_values},
    )


def read_value(result: dg.ExecuteInProcessResult) -> object:
    (event,) = result.asset_materializations_for_node("read")
    return event.metadata["value"].value


def test_a_run_reads_its_own_values_and_a_later_one_those_that_were_stored(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert read_value(materialize(instance, "own", [made, meddled, read])) == "own"
        later = materialize(instance, "later", [made, meddled, read], ["read"])
        assert read_value(later) == "foreign"
