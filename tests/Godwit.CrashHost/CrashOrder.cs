using Godwit.Metadata;
using Godwit.Metadata.Postgres;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.CrashHost;

/// <summary>What a crash host is to do, and where it is to die.</summary>
public sealed record CrashOrder
{
    /// <summary>The server.</summary>
    public required Uri Server { get; init; }

    /// <summary>The state file; with <see cref="Schema"/> the connection string of a PostgreSQL.</summary>
    public required string State { get; init; }

    /// <summary>The schema that holds the state; null for a file.</summary>
    public string? Schema { get; init; }

    /// <summary><c>run</c>, <c>resume</c>, <c>rollback</c> or <c>cleanup</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>The run; none for <c>run</c>.</summary>
    public string? RunId { get; init; }

    /// <summary>What to run.</summary>
    public RebuildRequest? Request { get; init; }

    /// <summary>A migration to run instead, as YAML.</summary>
    public string? Migration { get; init; }

    /// <summary>How to run it.</summary>
    public RunOptions Options { get; init; } = new();

    /// <summary><c>none</c>, <c>N:before</c>, <c>N:after</c>, <c>=NAME:before</c> or <c>=NAME:after</c>; with <see cref="VictimPid"/> that process dies instead.</summary>
    public string Point { get; init; } = "none";

    /// <summary>The server or broker that dies at the point; null when the host itself does.</summary>
    public int? VictimPid { get; init; }

    /// <summary>The file that somebody writes before the host, which is frozen at the point instead, is woken long after its lease has ended; null when it dies.</summary>
    public string? WakeFile { get; init; }

    /// <summary>How far the clock of its process is ahead.</summary>
    public TimeSpan Ahead { get; init; }

    /// <summary>What other clients do at certain entries.</summary>
    public IReadOnlyList<Injection> Injections { get; init; } = [];

    /// <summary>Opens the state.</summary>
    /// <param name="clock">By which leases end, in PostgreSQL, too: a walk does not wait for them.</param>
    public async Task<IStore> OpenAsync(TimeProvider? clock = null) => Schema is null
        ? await SqliteStore.OpenAsync(State, clock)
        : PostgresStore.Open(State, Schema, clock ?? TimeProvider.System, usesDatabaseClock: false);
}
