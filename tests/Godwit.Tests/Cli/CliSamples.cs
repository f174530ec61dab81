using Godwit.Inspection;
using Godwit.Metadata;
using Godwit.Runs;
using Godwit.Tests.Metadata;

namespace Godwit.Tests.Cli;

/// <summary>Statuses to show.</summary>
internal static class CliSamples
{
    public static RunStatus Status(RunState state = RunState.Completed, int copies = 3) => new()
    {
        RunId = "k3f9a2b1",
        Migration = "rebuild",
        Table = "db.t",
        State = state,
        Strategy = "block-log",
        Owner = "host:1:a",
        Steps = [
            new StepStatus(0, "create-staging", "host:8123", StepState.Done, "Create the staging table", 0, null),
            .. Enumerable.Range(1, copies).Select(i => new StepStatus(
                i, "copy-partition", "host:8123", i <= copies / 2 ? StepState.Done : i == (copies / 2) + 1 ? StepState.Running : StepState.Pending, $"Copy partition {i}", i <= copies / 2 ? 100 : 0, 100)),
            new StepStatus(copies + 1, "exchange", "host:8123", StepState.Pending, "Let the names change hands", 0, null)],
        RowsCopied = 100L * (copies / 2),
        RowsTotal = 100L * copies,
        BytesCopied = 12_345_678,
        BytesTotal = 30_000_000_000,
        RowsPerSecond = 1_234_567,
        EtaSeconds = 3725,
        Activity = "copying partition 2",
        Errors = [],
        CreatedAt = StoreSamples.Noon,
        StartedAt = StoreSamples.Noon,
        FinishedAt = StoreSamples.Noon.AddMinutes(3),
    };

    public static Comparison Comparison() => new("db.t", "db.t2")
    {
        Node = "host:8123",
        Where = "team_id = 2",
        Rows = new ComparisonRow(null, 1_000_000, 999_990),
        Last = new ComparedTimes("timestamp", "2026-01-31T23:59:59Z", "2026-01-31T23:59:58Z"),
        Ids = new ComparedIds("uuid", new ComparisonRow(null, 1_000_000, 999_990), new ComparisonRow(null, 999_990, 999_990)),
        Cuts =
        [
            new ComparisonCut(CutKind.Partition, "toYYYYMM(timestamp)") { Keys = 24 },
            new ComparisonCut(CutKind.Day, "timestamp") { Keys = 700, Differing = 3, Rows = [new ComparisonRow("2026-01-31", 30, 15), new ComparisonRow("2026-01-30", 10, 14)] },
            new ComparisonCut(CutKind.Column, "[red]who[/]") { Keys = 9, Differing = 2, Rows = [new ComparisonRow(null, 0, 2), new ComparisonRow("", 1, 0)] },
            new ComparisonCut(CutKind.Column, "url") { Unavailable = "Rows by url could not be counted on host:8123: Memory limit exceeded." },
        ],
        Notes = ["who is String in db.t and UInt64 in db.t2; its values are compared as texts."],
    };
}
