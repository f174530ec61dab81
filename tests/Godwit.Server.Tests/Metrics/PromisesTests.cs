using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Godwit.Fixtures;
using Godwit.Server.Metrics;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Metrics;

/// <summary>What the documentation and the dashboard say of metrics is so.</summary>
public sealed partial class PromisesTests(RealEngine real)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_documentation_has_every_metric_with_its_type_labels_and_meaning()
    {
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        var given = await Scraped.AskAsync(server, Ct);
        var documented = Row().Matches(await File.ReadAllTextAsync(Repository.File("docs", "serving.md"), Ct)).ToDictionary(m => m.Groups[1].Value, m => m);

        documented.Keys.ShouldBe(given.Types.Keys, ignoreOrder: true);
        given.Help.Keys.ShouldBe(given.Types.Keys);
        foreach (var (name, row) in documented)
        {
            row.Groups[2].Value.ShouldBe(given.Types[name], name);
            Quoted().Matches(row.Groups[3].Value).Select(m => m.Groups[1].Value).ShouldBe(Metric.All.Single(m => m.Name == name).Labels, name);
            row.Groups[4].Value.Replace("`", "", StringComparison.Ordinal).ShouldBe(given.Help[name], name);
        }
    }

    [Fact]
    public async Task The_dashboard_asks_for_nothing_that_is_not_given()
    {
        var dashboard = JsonNode.Parse(await File.ReadAllTextAsync(Repository.File("packaging", "grafana-dashboard.json"), Ct))!;
        dashboard["schemaVersion"]!.GetValueKind().ShouldBe(JsonValueKind.Number);
        var panels = dashboard["panels"]!.AsArray();
        panels.Select(p => p!["id"]!.GetValue<int>()).ShouldBeUnique();
        dashboard["templating"]!["list"]!.AsArray().Select(v => v!["name"]!.GetValue<string>()).ShouldBe(["datasource", "run"]);

        var questions = Texts(dashboard, "expr").Concat(Texts(dashboard, "definition")).ToList();
        questions.Count.ShouldBeGreaterThan(10);
        foreach (var asked in questions.SelectMany(q => Selector().Matches(q)))
        {
            var metric = Metric.All.SingleOrDefault(m => Samples(m).Contains(asked.Groups[1].Value)).ShouldNotBeNull(asked.Value);
            Label().Matches(asked.Groups[2].Value).Select(m => m.Groups[1].Value).ShouldBeSubsetOf([.. metric.Labels, "job", "instance"], asked.Value);
        }

        panels.Where(p => p!["type"]!.GetValue<string>() != "row").ShouldAllBe(p => p!["datasource"]!["uid"]!.GetValue<string>() == "${datasource}");
    }

    private static string[] Samples(Metric metric) => metric.Type == "summary" ? [$"{metric.Name}_sum", $"{metric.Name}_count"] : [metric.Name];

    private static IEnumerable<string> Texts(JsonNode? node, string name) => node switch
    {
        JsonObject fields => fields.SelectMany(f => f.Key == name && f.Value is JsonValue text ? [text.GetValue<string>()] : Texts(f.Value, name)),
        JsonArray items => items.SelectMany(i => Texts(i, name)),
        _ => [],
    };

    [GeneratedRegex(@"^\| `(godwit_[a-z_]+)` \| (\w+) \|([^|]*)\| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"(godwit_[a-z_]+)(?:\{([^}]*)\})?")]
    private static partial Regex Selector();

    [GeneratedRegex("""([a-z]+)\s*(?:=~|!~|!=|=)\s*"[^"]*""")]
    private static partial Regex Label();
}
