using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Fixtures;

/// <summary>A run, or the undoing of one, that is cut off at every point where it can be.</summary>
/// <param name="Name">Its name in reports.</param>
/// <param name="Engine">The table's engine and clauses.</param>
/// <param name="Change">What the table is to become; the table's name is filled in.</param>
public sealed record CrashScenario(string Name, string Engine, RebuildRequest Change)
{
    /// <summary>A migration to run instead of the change, as YAML over {db}.</summary>
    public string? Migration { get; init; }

    /// <summary>The verb that is cut off; all but <c>run</c> have a run before them.</summary>
    public string Verb { get; init; } = "run";

    /// <summary>Where the run before is killed, as in a crash order; null when it is completed.</summary>
    public string? Halt { get; init; }

    /// <summary>Whether others write to the table.</summary>
    public bool HasWriters { get; init; } = true;

    /// <summary>Whether a Kafka table feeds the table too. Without a broker nothing comes of it, and it can be held and let go of all the same.</summary>
    public bool HasFeed { get; init; }

    /// <summary>Whether the Kafka table has a broker, and messages come.</summary>
    public bool HasBroker { get; init; }

    /// <summary>Whether a Distributed table stands between the Kafka table's view and the table.</summary>
    public bool IsSpread { get; init; }

    /// <summary>Settings of the Kafka table that has a broker. Of messages that come without a gap an old server collects a whole block, however long that takes.</summary>
    public string QueueSettings => IsOld ? "kafka_max_block_size = 500" : "kafka_flush_interval_ms = 300";

    /// <summary>Whether a view reads from the table. A server of 2018 does not tell it what another view has put there.</summary>
    public bool HasView => !IsReadTwice && !(HasBroker && IsOld);

    /// <summary>Whether the server is one of 2018.</summary>
    public bool IsOld { get; init; }

    /// <summary>Whether both tables are read from Kafka. No view reads from the table then, and nothing has to pause.</summary>
    public bool IsReadTwice => Change.Strategy == "second-consumer";

    /// <summary>What others do during the run before the verb.</summary>
    public IReadOnlyList<(string Entry, IReadOnlyList<string> Statements)> Before { get; init; } = [];

    /// <summary>What others do right after the verb has written such an entry: statements over {db} and {run}.</summary>
    public IReadOnlyList<(string Entry, IReadOnlyList<string> Statements)> Meanwhile { get; init; } = [];

    /// <summary>Tables that the migration leaves.</summary>
    public IReadOnlyList<string> Makes { get; init; } = [];

    /// <summary>Tables that are kept for a rollback until the clean-up, over {run}.</summary>
    public IReadOnlyList<string> Keeps { get; init; } = ["t_godwit_{run}"];

    /// <summary>What must be the same in the table and in the ledger of all inserts.</summary>
    public string Figures { get; init; } = "count(), sum(cityHash64(id, key, shard, n, text))";

    /// <summary>How the run ends.</summary>
    public RunState End => Verb == "rollback" ? RunState.RolledBack : RunState.Completed;
}
