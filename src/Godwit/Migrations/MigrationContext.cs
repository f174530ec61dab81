using System.Data.Common;
using Godwit.ClickHouse;

namespace Godwit.Migrations;

/// <summary>What the questions of a migration may ask: the instance, and what a person has set.</summary>
/// <param name="ClickHouse">The node that Godwit was given.</param>
/// <param name="PostgreSql">The application's PostgreSQL; null when none was given.</param>
/// <param name="Parameters">The values of the migration's parameters.</param>
/// <param name="AppVersion">The version of the application; null when nobody said it.</param>
public sealed record MigrationContext(ClickHouseGateway ClickHouse, DbDataSource? PostgreSql, ParameterValues Parameters, string? AppVersion);
