using System.Data.Common;
using Godwit.ClickHouse;
using Godwit.Hooks;
using Godwit.Kafka;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Runs;

namespace Godwit;

/// <summary>What a <see cref="Migrator"/> works with besides the server and the store.</summary>
public sealed record MigratorOptions
{
    /// <summary>Rebuilds alone, by the system's clock.</summary>
    public static MigratorOptions Default { get; } = new();

    /// <summary>The migrations that it knows.</summary>
    public MigrationSet Migrations { get; init; } = MigrationSet.Empty;

    /// <summary>The application's PostgreSQL; stays the caller's. Null when there is none.</summary>
    public DbDataSource? PostgreSql { get; init; }

    /// <summary>A broker of the Kafka that feeds the tables, <c>host:port</c> of a plain text listener, for migrations that require a version of it; null when there is none.</summary>
    public string? Kafka { get; init; }

    /// <summary>The folder with the commands that may be called as hooks (<c>command:NAME</c>); null when there is none.</summary>
    public string? HookFolder { get; init; }

    /// <summary>The cluster that the server belongs to; null when it is alone.</summary>
    public ClusterOptions? Cluster { get; init; }

    /// <summary>The version of the application; null when migrations have no window.</summary>
    public string? AppVersion { get; init; }

    /// <summary>Who works with it, for the audit trail, where a call names nobody.</summary>
    public Actor Actor { get; init; } = Actor.OfProcess;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// Is told of notifications that did not arrive, which the audit trail keeps too; null for nobody. A <see cref="Workers.Worker"/> tells of
    /// its own ones among its events.
    /// </summary>
    public IProgress<NotificationFailure>? NotificationFailures { get; init; }

    /// <summary>How notifications are sent.</summary>
    internal Delivery Delivery { get; init; } = new();

    /// <inheritdoc cref="RunHost.Patience"/>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What is wrong with them, one sentence each.</summary>
    public IReadOnlyList<string> Problems() => Kafka is null || KafkaConnection.IsAddress(Kafka) ? [] : [$"'{Kafka}' is not the address of a Kafka broker: write host:port, such as kafka.example:9092."];

    internal RunHost Host(ClickHouseGateway gateway, IStore store) =>
        new(store, gateway, Clock)
        {
            Hooks = new HookTools(HookFolder, Delivery, Clock),
            Patience = Patience,
            Migrations = Migrations,
            PostgreSql = PostgreSql,
            Kafka = Kafka,
            AppVersion = AppVersion,
            Cluster = Cluster,
        };
}
