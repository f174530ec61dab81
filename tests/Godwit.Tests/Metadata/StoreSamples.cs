using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Tests.Metadata;

/// <summary>Runs, plans and entries to store.</summary>
internal static class StoreSamples
{
    public static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, 123, TimeSpan.Zero);

    public static RunRecord Run(string id, string table = "db.t", string instance = "host:8123", RunState state = RunState.NotStarted) => new()
    {
        RunId = id,
        Migration = "rebuild",
        Tables = new[] { table },
        Instance = instance,
        Strategy = "block-log",
        State = state,
        CreatedAt = Noon,
        Options = """{"pace":1}""",
    };

    public static Plan Plan(int steps = 2) => new()
    {
        RunId = "abcd1234",
        Migration = "rebuild",
        Tables = new[] { "db.t" },
        Strategy = "block-log",
        Reasons = ["Because it's \"so\"."],
        Operations = [new PlannedOperation { Kind = "rebuild", Description = "Rebuild", Shared = PlanFormat.ToElement(new { staging = "t_new" }) }],
        Steps = [.. Enumerable.Range(0, steps).Select(i => new PlannedStep
        {
            Index = i,
            Kind = "copy-partition",
            Node = "host:8123",
            Description = $"Copy partition {i}",
            Arguments = PlanFormat.ToElement(new { partition = i }),
        })],
    };

    public static JournalEntry Entry(string runId, string name, JournalEntryKind kind = JournalEntryKind.Intent) =>
        new() { RunId = runId, Step = 1, Kind = kind, Name = name, Payload = """{"q":"it's"}""", At = Noon };
}
