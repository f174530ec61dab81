using Godwit.Server.Metrics;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Metrics;

public sealed class MetricTextTests
{
    [Theory]
    [InlineData("app.events", "app.events")]
    [InlineData("a\"} 1\ngodwit_clickhouse_up 1", @"a\""} 1\ngodwit_clickhouse_up 1")]
    [InlineData(@"ends with \", @"ends with \\")]
    [InlineData(@"\n", @"\\n")]
    [InlineData("a\0b\rc", "a\uFFFDb c")]
    [InlineData("größe 表", "größe 表")]
    public void A_value_of_a_label_cannot_end_its_quotes_or_its_line(string subject, string written)
    {
        var text = new MetricText();
        text.Add(Metric.RunHeld, 1, "k3f9a2b1", subject);

        Lines(text).ShouldContain($"godwit_run_held{{run=\"k3f9a2b1\",subject=\"{written}\"}} 1");
        Lines(text).Count(l => l.Length > 0 && l[0] != '#').ShouldBe(1);
    }

    [Fact]
    public void Samples_stand_below_the_help_and_the_type_of_their_metric_in_whatever_order_they_came()
    {
        var text = new MetricText();
        text.Add(Metric.RunHeld, 0, "a", "x");
        text.Add(Metric.StoreUp, 1);
        text.Add(Metric.RunHeld, 1, "b", "y");

        var lines = Lines(text);
        var at = lines.IndexOf("# TYPE godwit_run_held gauge");
        lines[at - 1].ShouldStartWith("# HELP godwit_run_held ");
        lines.Skip(at + 1).Take(2).ShouldBe(["godwit_run_held{run=\"a\",subject=\"x\"} 0", "godwit_run_held{run=\"b\",subject=\"y\"} 1"]);
        lines.ShouldContain("godwit_store_up 1");
        text.ToString().ShouldEndWith("\n");
    }

    [Fact]
    public void A_sample_has_a_value_for_each_label() =>
        Should.Throw<ArgumentException>(() => new MetricText().Add(Metric.RunHeld, 1, "a")).Message.ShouldStartWith("godwit_run_held has 2 labels, not 1.");

    [Fact]
    public void Numbers_are_written_as_programs_read_them()
    {
        var text = new MetricText();
        text.Add(Metric.RunRowsPerSecond, 1234567.5, "a", "x");
        text.Add(Metric.RunRowsCopied, 12_000_000_000, "a", "x");

        Lines(text).ShouldContain("godwit_run_rows_per_second{run=\"a\",subject=\"x\"} 1234567.5");
        Lines(text).ShouldContain("godwit_run_rows_copied{run=\"a\",subject=\"x\"} 12000000000");
    }

    private static List<string> Lines(MetricText text) => [.. text.ToString().Split('\n')];
}
