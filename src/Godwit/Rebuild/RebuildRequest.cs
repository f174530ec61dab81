using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Hooks;

namespace Godwit.Rebuild;

/// <summary>What a person wants a table to become: changes to its present definition, or a whole CREATE TABLE text.</summary>
public sealed record RebuildRequest
{
    /// <summary>The table.</summary>
    public required QualifiedName Table { get; init; }

    /// <summary>A CREATE TABLE statement whose columns and clauses are the wish; excludes all single changes.</summary>
    public string? Ddl { get; init; }

    /// <summary>The new ORDER BY expression; null to keep it. The same holds for the other clauses.</summary>
    public string? OrderBy { get; init; }

    /// <summary>The new PRIMARY KEY expression.</summary>
    public string? PrimaryKey { get; init; }

    /// <summary>The new PARTITION BY expression.</summary>
    public string? PartitionBy { get; init; }

    /// <summary>The new SAMPLE BY expression.</summary>
    public string? SampleBy { get; init; }

    /// <summary>The new engine, such as <c>ReplacingMergeTree(version)</c>.</summary>
    public string? Engine { get; init; }

    /// <summary>The new table TTL.</summary>
    public string? Ttl { get; init; }

    /// <summary>Definitions of new columns, such as <c>country LowCardinality(String) DEFAULT ''</c>.</summary>
    public IReadOnlyList<string> AddColumns { get; init; } = [];

    /// <summary>Full new definitions of present columns.</summary>
    public IReadOnlyList<string> ModifyColumns { get; init; } = [];

    /// <summary>Names of columns to leave out.</summary>
    public IReadOnlyList<string> DropColumns { get; init; } = [];

    /// <summary>Table settings, <c>name=value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary><c>auto</c>, or one of <see cref="Strategies"/>.</summary>
    public string Strategy { get; init; } = "auto";

    /// <summary>
    /// How the new table gets what is written meanwhile: <c>block-log</c> follows inserts, <c>pause-feed</c> holds a Kafka feed while the names change
    /// hands as well, <c>second-consumer</c> lets Kafka fill the new table too, by a consumer group of its own, <c>static</c> is for a table that nobody
    /// writes to.
    /// </summary>
    public static IReadOnlyList<string> Strategies { get; } = ["block-log", "pause-feed", "second-consumer", "static"];

    /// <summary>For <c>second-consumer</c>: the columns, with commas, whose values tell a message from all others; null for <c>uuid</c>.</summary>
    public string? Identity { get; init; }

    /// <summary>
    /// For <c>second-consumer</c>: MATERIALIZED columns that nothing else in the definition uses are left out of the copy and added to the new table after it.
    /// They are computed when they are read, until a merge stores them.
    /// </summary>
    public bool MaterializeLater { get; init; }

    /// <summary>
    /// What makes all writers pause before the names change hands, for strategy <c>pause-feed</c>: <c>sql:STATEMENT</c>, an address that is posted to
    /// (<c>https://…</c>, or <c>env:NAME</c> or <c>file:/PATH</c> that hold one), or <c>command:NAME</c>. It must come to the same when it is called twice.
    /// </summary>
    public string? PauseHook { get; init; }

    /// <summary>What lets them go on; called however the pause ends, in the forms of <see cref="PauseHook"/>.</summary>
    public string? ResumeHook { get; init; }

    /// <summary>How long a hook may take when nobody says it.</summary>
    public static TimeSpan DefaultHookTimeout { get; } = TimeSpan.FromSeconds(30);

    /// <summary>How long each of the hooks may take.</summary>
    public TimeSpan HookTimeout { get; init; } = DefaultHookTimeout;

    /// <summary>Whether its hooks are more than commands which somebody has put on the machine for that: statements and addresses reach wherever Godwit does.</summary>
    public bool ReachesOut() => new[] { PauseHook, ResumeHook }.OfType<string>().Any(h => Hook.Read(h, []) is not CommandHook);

    /// <summary>Codes of warnings that a person has read and accepts, such as <c>key-identity</c>.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Whether anything is asked for at all.</summary>
    public bool IsEmpty => Ddl is null && !HasChanges;

    /// <summary>Whether a single change is asked for.</summary>
    public bool HasChanges =>
        OrderBy is not null || PrimaryKey is not null || PartitionBy is not null || SampleBy is not null || Engine is not null
        || Ttl is not null || AddColumns.Count + ModifyColumns.Count + DropColumns.Count + Settings.Count > 0;

    /// <summary>What is wrong with the request itself, one sentence each; empty when it can be looked at.</summary>
    public IEnumerable<string> Problems()
    {
        if (IsEmpty)
        {
            yield return "Nothing is asked for: say what the table is to become, for example --order-by '(a, b)', or give --ddl FILE.";
        }

        if (Ddl is not null && HasChanges)
        {
            yield return "--ddl holds the whole definition, so it cannot be combined with single changes such as --order-by.";
        }

        foreach (var text in new[] { OrderBy, PrimaryKey, PartitionBy, SampleBy, Engine, Ttl }.Concat(AddColumns).Concat(ModifyColumns).Concat(Settings).Append(Identity).OfType<string>().Where(t => !SqlText.IsWhole(t)))
        {
            yield return $"'{text}' does not stand by itself: each bracket, quote and comment must be closed where it was opened, and a name with $ or # be quoted.";
        }

        if (Ddl is not null && !SqlText.IsWhole(Ddl))
        {
            yield return "The definition of --ddl is no whole CREATE TABLE statement: each bracket, quote and comment must be closed where it was opened, and a name with $ or # be quoted.";
        }

        if (Strategy != "auto" && !Strategies.Contains(Strategy, StringComparer.Ordinal))
        {
            yield return $"--strategy {Strategy} does not exist: use auto, {string.Join(", ", Strategies.SkipLast(1))} or {Strategies[^1]}.";
        }

        if (Identity is not null && Strategy != "second-consumer")
        {
            yield return "--identity says what is the same row to --strategy second-consumer; no other strategy asks for it.";
        }

        if (MaterializeLater && Strategy != "second-consumer")
        {
            yield return "--materialize-later leaves columns out of the copy of --strategy second-consumer; no other strategy can add them later.";
        }

        foreach (var problem in HookProblems())
        {
            yield return problem;
        }

        foreach (var code in Accept.Except(RebuildChecks.Acceptable, StringComparer.Ordinal))
        {
            yield return $"--accept {code} is not something that can be accepted: use {string.Join(", ", RebuildChecks.Acceptable)}.";
        }
    }

    private IEnumerable<string> HookProblems()
    {
        if (PauseHook is null != ResumeHook is null)
        {
            yield return "--pause-hook and --resume-hook belong together: name both, or none.";
        }

        foreach (var (option, written) in new[] { ("--pause-hook", PauseHook), ("--resume-hook", ResumeHook) })
        {
            List<string> wrong = [];
            if (written is not null && Hook.Read(written, wrong) is null)
            {
                yield return $"{option} {string.Join(", and ", wrong)}.";
            }
        }

        if (PauseHook is not null && Strategy is not ("auto" or "pause-feed"))
        {
            yield return $"--pause-hook is for --strategy pause-feed, and --strategy {Strategy} pauses nobody: leave one of them out.";
        }

        if (HookTimeout < TimeSpan.FromSeconds(1) || HookTimeout > TimeSpan.FromHours(1))
        {
            yield return "--hook-timeout must be between 1s and 1h: give a time such as 30s.";
        }
    }
}
