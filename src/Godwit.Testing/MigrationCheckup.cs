using System.Data.Common;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>What the world looks like before a migration, and how it is checked. The world is made anew for every try.</summary>
public sealed record MigrationCheckup
{
    /// <summary>Statements that make the world, databases too. Use few rows that are the same every time: no <c>now()</c>, no <c>rand()</c>.</summary>
    public IReadOnlyList<string> Setup { get; init; } = [];

    /// <summary>What cannot be said in <see cref="Setup"/>, done after it: rows from a file, say, or tables in PostgreSQL. Called for every try.</summary>
    public Func<ClickHouseGateway, CancellationToken, Task>? Prepare { get; init; }

    /// <summary>Migrations that are run to their end before, after the setup. What else the migration depends on counts as done.</summary>
    public IReadOnlyList<Migration> Before { get; init; } = [];

    /// <summary>Values of the migration's parameters, as a person writes them.</summary>
    public Dictionary<string, string> Parameters { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The version of the application; needed by a migration with a window of versions.</summary>
    public string? AppVersion { get; init; }

    /// <summary>The application's PostgreSQL, for migrations that ask it; stays the caller's.</summary>
    public DbDataSource? PostgreSql { get; init; }

    /// <summary>
    /// How the runs behave. Whatever it says, irreversible steps are accepted, nothing waits for a person or for free disk, and the retired table is kept.
    /// </summary>
    public RunOptions Options { get; init; } = new();

    /// <summary>What is not compared: a table as <c>database.table</c>, or the values of a column as <c>database.table.column</c>.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>
    /// About how many moments are tried in each direction, evenly spread; null for all. The many steps of a rebuild have been tried by Godwit's own
    /// tests, so that some of them are enough here.
    /// </summary>
    public int? MostMoments { get; init; }

    /// <summary>The options with which runs are really made: nothing in them depends on the machine.</summary>
    internal RunOptions RunOptions => Options with
    {
        AcceptIrreversible = true,
        DeferCutover = false,
        DropRetired = false,
        RollbackWindow = TimeSpan.FromDays(1),
        MinFreeDisk = 0,
        Threads = Options.Threads ?? 2,
        Memory = Options.Memory ?? 1L << 30,
    };
}
