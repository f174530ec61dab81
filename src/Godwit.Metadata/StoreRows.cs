using System.Text.Json;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Metadata;

/// <summary>A row of <c>runs</c> as a database gives it: integers are 64 bits, times are milliseconds since 1970 (UTC).</summary>
internal sealed class RunRow
{
    public const string Columns =
        """
        run_id AS RunId, migration AS Migration, tables AS Tables, instance AS Instance, strategy AS Strategy, state AS State,
        created_at AS CreatedAt, started_at AS StartedAt, finished_at AS FinishedAt, rollback_until AS RollbackUntil,
        cleaned_up AS CleanedUp, problem AS Problem, options AS Options, progress AS Progress
        """;

    public required string RunId { get; init; }
    public required string Migration { get; init; }
    public required string Tables { get; init; }
    public required string Instance { get; init; }
    public string? Strategy { get; init; }
    public required string State { get; init; }
    public long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public long? RollbackUntil { get; init; }
    public long CleanedUp { get; init; }
    public string? Problem { get; init; }
    public required string Options { get; init; }
    public string? Progress { get; init; }

    public static RunRow From(RunRecord run) => new()
    {
        RunId = run.RunId,
        Migration = run.Migration,
        Tables = JsonSerializer.Serialize(run.Tables),
        Instance = run.Instance,
        Strategy = run.Strategy,
        State = run.State.ToString(),
        CreatedAt = run.CreatedAt.ToUnixTimeMilliseconds(),
        StartedAt = run.StartedAt?.ToUnixTimeMilliseconds(),
        FinishedAt = run.FinishedAt?.ToUnixTimeMilliseconds(),
        RollbackUntil = run.RollbackUntil?.ToUnixTimeMilliseconds(),
        CleanedUp = run.CleanedUp ? 1 : 0,
        Problem = run.Problem,
        Options = run.Options,
        Progress = run.Progress,
    };

    public RunRecord ToRecord() => new()
    {
        RunId = RunId,
        Migration = Migration,
        Tables = JsonSerializer.Deserialize<string[]>(Tables)!,
        Instance = Instance,
        Strategy = Strategy,
        State = StoredValue.Name<RunState>(State),
        CreatedAt = StoredValue.Time(CreatedAt),
        StartedAt = StoredValue.Time(StartedAt),
        FinishedAt = StoredValue.Time(FinishedAt),
        RollbackUntil = StoredValue.Time(RollbackUntil),
        CleanedUp = CleanedUp != 0,
        Problem = Problem,
        Options = Options,
        Progress = Progress,
    };
}

internal sealed class StepRow
{
    public long Step { get; init; }
    public required string State { get; init; }
    public long RowsDone { get; init; }
    public long Attempts { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }

    public StepRecord ToRecord(string runId) => new(runId, (int)Step, StoredValue.Name<StepState>(State), RowsDone, (int)Attempts)
    {
        StartedAt = StoredValue.Time(StartedAt),
        FinishedAt = StoredValue.Time(FinishedAt),
    };
}

internal sealed record JournalRow(string RunId, long Sequence, long Step, string Kind, string Name, string Payload, long At)
{
    public JournalEntry ToRecord() => new()
    {
        RunId = RunId,
        Sequence = Sequence,
        Step = (int)Step,
        Kind = StoredValue.Name<JournalEntryKind>(Kind),
        Name = Name,
        Payload = Payload,
        At = StoredValue.Time(At),
    };
}

// Not a positional record: Dapper finds no constructor for a column that has no type, as NULL has in SQLite.
internal sealed class ErrorRow
{
    public required string RunId { get; init; }
    public long? Step { get; init; }
    public required string Message { get; init; }
    public string? Details { get; init; }
    public long At { get; init; }

    public RunError ToRecord() => new(RunId, (int?)Step, Message, Details, StoredValue.Time(At));
}

internal sealed class SampleRow
{
    public long At { get; init; }
    public long Rows { get; init; }
    public double Rate { get; init; }
    public double? Lag { get; init; }
    public long IsHeld { get; init; }

    public RunSample ToRecord() => new(StoredValue.Time(At), Rows, Rate, Lag, IsHeld != 0);
}

internal sealed class LimitRow
{
    public long? RowsPerSecond { get; init; }
}

internal sealed class AuditRow
{
    public long Id { get; init; }
    public string? Origin { get; init; }
    public long At { get; init; }
    public required string Who { get; init; }
    public required string Action { get; init; }
    public required string Subject { get; init; }
    public string? Details { get; init; }

    public AuditEntry ToEntry() => new(StoredValue.Time(At), Who, Action, Subject, Details) { Id = Id, From = Origin };
}

internal sealed class LeaseRow
{
    public required string RunId { get; init; }
    public string? Owner { get; init; }
    public long Epoch { get; init; }
    public long ExpiresAt { get; init; }

    /// <summary>The lease, or null when it was released: the row stays, so that epochs only ever grow.</summary>
    public Lease? ToLease() => Owner is null ? null : new Lease(RunId, Owner, Epoch, StoredValue.Time(ExpiresAt));
}

/// <summary>How enums and times come back from a store.</summary>
internal static class StoredValue
{
    public static T Name<T>(string name)
        where T : struct, Enum =>
        Enum.TryParse<T>(name, out var value) && Enum.IsDefined(value)
            ? value
            : throw new StoredFormatException(
                $"The store holds the {typeof(T).Name} \"{name}\", which this Godwit does not know. Use the version that wrote it.");

    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    public static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } ms ? Time(ms) : null;
}
