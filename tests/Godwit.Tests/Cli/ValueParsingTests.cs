using Godwit.Cli.Arguments;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Cli;

public class ValueParsingTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("10 gb", 10_000_000_000)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("512M", 512L << 20)]
    [InlineData("1TB", 1_000_000_000_000)]
    [InlineData("1.5KiB", 1536)]
    [InlineData("7B", 7)]
    public void Sizes_are_read(string text, long bytes) => Sizes.Read(text).ShouldBe(bytes);

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("-1GB")]
    [InlineData("10XB")]
    [InlineData("10GBB")]
    [InlineData("1,5GB")]
    [InlineData("1e3")]
    [InlineData("10Gi")]
    [InlineData("99999999999PB")]
    public void Other_texts_are_no_sizes(string text) => Should.Throw<FormatException>(() => Sizes.Read(text)).Message.ShouldContain("10GB");

    [Theory]
    [InlineData("24h", 86400)]
    [InlineData("30m", 1800)]
    [InlineData("7d", 604800)]
    [InlineData("90s", 90)]
    [InlineData("1.5h", 5400)]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    public void Times_are_read(string text, int seconds) => Durations.Read(text).TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("24")]
    [InlineData("-1h")]
    [InlineData("24 hours")]
    [InlineData("99999d")]
    [InlineData("1w")]
    public void Other_texts_are_no_times(string text) => Should.Throw<FormatException>(() => Durations.Read(text)).Message.ShouldContain("24h");
}
