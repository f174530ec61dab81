using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.ClickHouse;

public sealed class NewServerGatewayTests(RealEngine real) : GatewayContract
{
    protected override Uri Url => real.Engine.Url;

    protected override string CreateDatabase => "CREATE DATABASE {0} ENGINE = Atomic";

    [Fact]
    public async Task The_new_server_has_what_a_rebuild_wants()
    {
        var found = await Capabilities.ProbeAsync(Gateway, Ct);
        found.Version.ShouldBeGreaterThanOrEqualTo(new ServerVersion(26, 7));
        found.Timezone.ShouldNotBeEmpty();
        found.ShouldBe(new Capabilities
        {
            Version = found.Version,
            Timezone = found.Timezone,
            HasExchange = true,
            HasBlockNumberColumn = true,
            HasDisks = true,
            HasStoragePolicies = true,
            HasUuid = true,
            HasTotalRows = true,
            HasQueryKind = true,
            HasProcessesCancelled = true,
            HasMutations = true,
            HasKafkaConsumers = true,
            HasDetachedParts = true,
            HasBackup = true,
            HasPartHash = true,
            HasPartUuid = true,
            HasDateTime64 = true,
            HasInsertAllowMaterializedColumns = true,
            HasMutationsSync = true,
            HasInsertDeduplicationToken = true,
            HasTemporaryMergeTree = true,
            HasDropSync = true,
            HasDetachPermanently = true,
            HasModifySetting = true,
            // These depend on the server's configuration and on what ran before.
            HasQueryLog = found.HasQueryLog,
            HasPartLog = found.HasPartLog,
            MaxMemoryUsage = found.MaxMemoryUsage,
        });
    }

    [Fact]
    public async Task A_moment_without_a_zone_is_read_in_the_servers()
    {
        var row = (await Gateway.QueryAsync("SELECT now() AS x, toUnixTimestamp(x) AS n, toDateTime64(x, 6) AS precise", ct: Ct))[0];
        row.Utc("x").ShouldBe(row.Utc("n"));
        row.Utc("precise").ShouldBe(row.Utc("n"));
    }
}
