using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

public class ValueTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData(@"\N", null)]
    [InlineData(@"\\N", @"\N")]
    [InlineData(@"a\tb\nc\\d\'e\0f\bg\fh\ri", "a\tb\nc\\d'e\0f\bg\fh\ri")]
    [InlineData(@"\\\\t", @"\\t")]
    [InlineData(@"end\\", @"end\")]
    [InlineData(@"\", @"\")]
    [InlineData(@"x\N", "xN")]
    public void Fields_are_unescaped(string field, string? value) => TabSeparated.Unescape(field).ShouldBe(value);

    [Fact]
    public void Empty_fields_are_fields() => TabSeparated.Split("\ta\t\t\\N").ShouldBe(["", "a", "", null]);

    [Theory]
    [InlineData("2024-07-01 12:00:00", "DateTime", "Europe/Berlin", "2024-07-01T10:00:00Z")]
    [InlineData("2024-07-01 12:00:00", "DateTime('UTC')", "Europe/Berlin", "2024-07-01T12:00:00Z")]
    [InlineData("2024-07-01 12:00:00.123456", @"Nullable(DateTime64(6, 'Asia/Tokyo'))", "UTC", "2024-07-01T03:00:00.123456Z")]
    [InlineData("2024-07-01 12:00:00.5", "DateTime64(1)", "UTC", "2024-07-01T12:00:00.5Z")]
    [InlineData("2024-07-01", "Date", "Asia/Tokyo", "2024-07-01T00:00:00Z")]
    [InlineData("1719828000", "UInt32", null, "2024-07-01T10:00:00Z")]
    [InlineData("0000-00-00 00:00:00", "DateTime", null, "1970-01-01T00:00:00Z")]
    public void Moments_are_read_as_utc(string text, string type, string? serverZone, string expected)
        => Row(text, type, serverZone).Utc("x").ShouldBe(DateTimeOffset.Parse(expected, null));

    [Theory]
    [InlineData("2024-07-01 12:00:00", "DateTime", null)]
    [InlineData("2024-07-01 12:00:00", "DateTime", "No/Where")]
    [InlineData("2024-07-01 12:00:00", "String", "UTC")]
    public void A_moment_of_an_unknown_zone_is_refused(string text, string type, string? zone)
        => Should.Throw<InvalidOperationException>(() => Row(text, type, zone).Utc("x")).Message.ShouldContain("toUnixTimestamp");

    [Fact]
    public void A_value_that_does_not_fit_names_its_column()
    {
        Should.Throw<InvalidOperationException>(() => Row("-1", "Int8").UInt64("x")).Message.ShouldContain("Column x of type Int8 holds '-1'");
        Should.Throw<InvalidOperationException>(() => Row("yes", "String").Bool("x"));
        Should.Throw<InvalidOperationException>(() => Row(null, "Nullable(Int8)").Int64("x")).Message.ShouldBe("Column x is NULL.");
        Should.Throw<KeyNotFoundException>(() => Row("1", "Int8").Text("y")).Message.ShouldBe("The result has no column y; it has x.");
    }

    [Fact]
    public void A_name_that_stands_twice_is_refused()
    {
        var shape = RowShape.Create(["a", "a", "b"], ["Int8", "Int8", "Int8"], null).ShouldNotBeNull();
        var row = new Row(shape, ["1", "2", "3"]);
        row.Int64("b").ShouldBe(3);
        Should.Throw<KeyNotFoundException>(() => row.Int64("a")).Message.ShouldContain("more than one");
    }

    [Theory]
    [InlineData("18.16.1", 18, 16, 1, 0)]
    [InlineData("26.7.2.1", 26, 7, 2, 1)]
    [InlineData("24.8.4.13-altinitystable", 24, 8, 4, 13)]
    [InlineData("23.3.1.2823.altinity", 23, 3, 1, 2823)]
    [InlineData("22.8", 22, 8, 0, 0)]
    public void Versions_are_read(string text, int major, int minor, int patch, int build)
        => ServerVersion.Parse(text).ShouldBe(new ServerVersion(major, minor, patch, build));

    [Fact]
    public void Versions_are_compared_as_numbers()
    {
        (ServerVersion.Parse("23.10") > ServerVersion.Parse("23.9.9.9")).ShouldBeTrue();
        (ServerVersion.Parse("9.1") < ServerVersion.Parse("10.0")).ShouldBeTrue();
        Should.Throw<FormatException>(() => ServerVersion.Parse("newest"));
    }

    [Fact]
    public void A_shorter_uptime_or_a_later_start_is_a_restart()
    {
        var first = new ServerIdentity("a", TimeSpan.FromSeconds(100), DateTimeOffset.UnixEpoch);
        first.IsRestartOf(first with { Uptime = TimeSpan.FromSeconds(90), StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(-1) }).ShouldBeFalse();
        first.IsRestartOf(first with { Uptime = TimeSpan.FromSeconds(101) }).ShouldBeTrue();
        first.IsRestartOf(first with { Uptime = TimeSpan.FromSeconds(50), StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(-60) }).ShouldBeTrue();
        first.IsRestartOf(first with { HostName = "b" }).ShouldBeTrue();
    }

    private static Row Row(string? text, string type, string? zone = null)
        => new(RowShape.Create(["x"], [type], zone).ShouldNotBeNull(), [text]);
}
