using System.Data.Common;
using Godwit.ClickHouse;
using Godwit.Kafka;
using Godwit.Runs;

namespace Godwit.Migrations;

/// <summary>Reads the versions of the servers that migrations have requirements of.</summary>
internal static class ServiceVersions
{
    /// <summary>The version, or null and a sentence that says why it cannot be read.</summary>
    public static async Task<(string? Version, string? Problem)> ReadAsync(RunHost host, Service service, CancellationToken ct)
    {
        try
        {
            return service switch
            {
                Service.ClickHouse => (await host.Gateway.ScalarAsync<string>("SELECT version()", ct: ct), null),
                Service.PostgreSql when host.PostgreSql is { } source => (await PostgreSqlAsync(source, ct), null),
                Service.PostgreSql => (null, "no PostgreSQL was given. Name it with --postgres."),
                Service.Kafka when host.Kafka is { } broker => await KafkaVersion.ReadAsync(broker, ct),
                _ => (null, "no Kafka broker was given. Name it with --kafka."),
            };
        }
        catch (Exception e) when (e is ClickHouseException or DbException)
        {
            return (null, e.Message);
        }
    }

    private static async Task<string> PostgreSqlAsync(DbDataSource source, CancellationToken ct)
    {
        await using var command = source.CreateCommand("SHOW server_version");
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }
}
