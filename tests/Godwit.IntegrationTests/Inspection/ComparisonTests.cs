using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.IntegrationTests.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>On the newest server, with what only that has.</summary>
public sealed class ComparisonTests(RealEngine real) : ComparisonContract
{
    protected override Uri Url => real.Engine.Url;

    [Fact]
    public async Task Moments_with_fractions_are_the_same_whatever_zone_and_precision_they_are_kept_in()
    {
        await SqlAsync(
            "CREATE TABLE @a (uuid UUID, timestamp DateTime64(6, 'America/New_York'), team LowCardinality(Nullable(String))) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp, 'UTC') ORDER BY uuid",
            "CREATE TABLE @b (uuid UUID, timestamp DateTime64(3, 'UTC'), team String) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp, 'UTC') ORDER BY uuid",
            "INSERT INTO @a SELECT generateUUIDv4(), toDateTime64('2026-01-31 00:00:00.25', 6, 'UTC') + number * 3600, number % 2 FROM numbers(48)",
            "INSERT INTO @b SELECT * FROM @a");

        var found = await CompareAsync("@a", "@b", r => r with { By = ["team"] });

        found.IsSame.ShouldBeTrue(found.Summary);
        found.Last.ShouldBe(new ComparedTimes("timestamp", "2026-02-01T23:00:00.25Z", "2026-02-01T23:00:00.25Z"));
        found.Cuts.Select(c => c.Keys).ShouldBe([2, 2, 2]);
        found.Notes.ShouldHaveSingleItem().ShouldContain("the same row may count for different partitions");
    }

    [Fact]
    public async Task More_ids_than_the_user_may_keep_in_memory_are_counted_exactly()
    {
        await SqlAsync(
            "CREATE TABLE @a (uuid UUID) ENGINE = MergeTree ORDER BY tuple()",
            "INSERT INTO @a SELECT toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(number), 12, '0'))) FROM numbers(5000000)");
        using var limited = new ClickHouseGateway(new ClickHouseOptions { Url = Url }, new Limited());

        var request = new ComparisonRequest(TableOrPattern.Parse($"{Database}.a"), TableOrPattern.Parse($"{Database}.a"));
        var found = await Comparison.MakeAsync(limited, request, Ct);

        found.Ids.ShouldBe(new ComparedIds("uuid", new ComparisonRow(null, 5_000_000, 5_000_000), new ComparisonRow(null, 5_000_000, 5_000_000)));
    }

    /// <summary>What a profile of the user would say.</summary>
    private sealed class Limited() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var url = request.RequestUri!;
            request.RequestUri = url.Query.Contains("max_memory_usage=", StringComparison.Ordinal) ? url : new Uri($"{url}&max_memory_usage=300000000");
            return base.SendAsync(request, cancellationToken);
        }
    }
}

/// <summary>On the server of 2018.</summary>
public sealed class OldServerComparisonTests(OldServer server) : ComparisonContract, IClassFixture<OldServer>
{
    protected override Uri Url => server.Url;
}
