using System.Data.Common;
using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>What this process offers to the runs that it owns.</summary>
/// <param name="Store">Where runs are kept.</param>
/// <param name="Gateway">The server.</param>
/// <param name="Clock">The clock.</param>
internal sealed record RunHost(IStore Store, ClickHouseGateway Gateway, TimeProvider Clock)
{
    /// <summary>The migrations that are known here.</summary>
    public MigrationSet Migrations { get; init; } = MigrationSet.Empty;

    /// <summary>The application's PostgreSQL; null when none was given.</summary>
    public DbDataSource? PostgreSql { get; init; }

    /// <summary>A Kafka broker, host:port; null when none was given.</summary>
    public string? Kafka { get; init; }

    /// <summary>What hooks work with.</summary>
    public HookTools Hooks { get; init; } = new(null, new Delivery(), Clock);

    /// <summary>The cluster that the server belongs to; null when it is alone.</summary>
    public ClusterOptions? Cluster { get; init; }

    /// <summary>Whether a run that is cancelled here is left as it is, for another process to go on with; otherwise it is Paused.</summary>
    public bool HandsOver { get; init; }

    /// <summary>How long a server may be away before a run is called failed, unless a step holds something that nobody else puts back.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>The application's version; null when nobody said it.</summary>
    public string? AppVersion { get; init; }

    /// <summary>Tells people what happens to the runs; null for nobody.</summary>
    public Notifier? Notifier { get; init; }

    /// <summary>What the questions of a migration may ask.</summary>
    public MigrationContext Context(ParameterValues parameters) => new(Gateway, PostgreSql, parameters, AppVersion);

    /// <summary>The migration of a plan, with the parameters that are frozen in it.</summary>
    /// <returns>Null for a plan without a migration, and for one whose definition is gone.</returns>
    public RunningMigration? Find(Plan plan)
    {
        if (Migrations.Find(plan.Migration) is not { } definition)
        {
            return null;
        }

        var (values, problems) = ParameterValues.Read(definition.Parameters, plan.Parameters);
        return values is null
            ? throw new StoredFormatException(
                $"Run {plan.RunId} was planned with parameters that {plan.Migration} does not take any more: {string.Join(' ', problems)} Load the definition that it was started with.")
            : new RunningMigration(definition, Context(values));
    }
}

/// <summary>The definition of a run, and what it may ask.</summary>
internal sealed record RunningMigration(Migration Definition, MigrationContext Context);
