namespace Godwit.Migrations;

/// <summary>A server that a migration needs.</summary>
public enum Service
{
    /// <summary>Every ClickHouse node.</summary>
    ClickHouse,

    /// <summary>The application's PostgreSQL.</summary>
    PostgreSql,

    /// <summary>The Kafka broker that feeds the tables.</summary>
    Kafka,
}

/// <summary>The versions of a server that a migration can work with.</summary>
/// <param name="Service">Which server.</param>
/// <param name="Versions">Which versions will do.</param>
public sealed record ServiceRequirement(Service Service, VersionRange Versions);
