namespace Godwit.ClickHouse;

/// <summary>Which process of which machine answers: two readings tell whether the server was restarted between them.</summary>
/// <param name="HostName">The server's own name for its machine.</param>
/// <param name="Uptime">How long the process has run, in whole seconds.</param>
/// <param name="StartedAt">When it started by the server's own clock, to about a second.</param>
public sealed record ServerIdentity(string HostName, TimeSpan Uptime, DateTimeOffset StartedAt)
{
    // Uptime and clock are each cut to a second, and clocks are adjusted a little.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(3);

    /// <summary>Asks the server.</summary>
    public static async Task<ServerIdentity> ReadAsync(ClickHouseGateway gateway, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        var rows = await gateway.QueryAsync("SELECT hostName() AS host, uptime() AS uptime, toUnixTimestamp(now()) AS now", ct: ct);
        var uptime = TimeSpan.FromSeconds(rows[0].Int64("uptime"));
        return new ServerIdentity(rows[0]["host"], uptime, rows[0].Utc("now") - uptime);
    }

    /// <summary>Whether this is another process than the earlier reading saw. A clock that is set by hand looks like a restart.</summary>
    public bool IsRestartOf(ServerIdentity earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return HostName != earlier.HostName || Uptime < earlier.Uptime || StartedAt - earlier.StartedAt > Tolerance;
    }
}
