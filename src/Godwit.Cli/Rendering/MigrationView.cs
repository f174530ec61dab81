using Godwit.Migrations;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>One migration: what it is for, what it needs, what can be set, what it checks.</summary>
internal static class MigrationView
{
    /// <summary>For people.</summary>
    public static IRenderable Of(MigrationOverview overview, Migration definition)
    {
        List<(string, IRenderable)> facts =
        [
            ("Migration", Look.Words(overview.Name, Look.Strong)),
            ("For", Look.Words(definition.Description)),
            ("State", Look.Words(overview.RunId is null ? overview.State.ToString() : $"{overview.State} (run {overview.RunId})", Look.Of(overview.State))),
            (overview.IsRequired ? "Required" : "Not required", Look.Words(overview.Why ?? "")),
            ("Versions", Look.Words(definition.Versions.ToString())),
        ];
        facts.AddRange(List("Depends on", definition.DependsOn.Select(name => overview.WaitsFor.Contains(name, StringComparer.Ordinal) ? $"{name} (not done)" : name)));
        facts.AddRange(List("Needs", definition.Requires.Select(r => $"{r.Service} {r.Versions}")));
        facts.AddRange(List("Parameters", definition.Parameters.Select(Describe)));
        facts.AddRange(List("Checks", definition.Checks.Select(c => $"{c.Name} ({c.Scope.ToString().ToLowerInvariant()})")));
        return Look.Facts(facts);
    }

    /// <summary>For programs.</summary>
    public static object Document(MigrationOverview overview, Migration definition) => new
    {
        overview.Name,
        definition.Description,
        overview.State,
        overview.RunId,
        overview.IsRequired,
        overview.Why,
        definition.Versions,
        definition.DependsOn,
        overview.WaitsFor,
        Requires = definition.Requires.Select(r => new { r.Service, Versions = r.Versions.ToString() }),
        definition.Parameters,
        Checks = definition.Checks.Select(c => new { c.Name, c.Scope }),
        HealthcheckIntervalSeconds = definition.HealthcheckInterval.TotalSeconds,
    };

    private static string Describe(Parameter parameter)
    {
        var bounds = (parameter.Min, parameter.Max) switch
        {
            (null, null) => "",
            (not null, null) => $", at least {parameter.Min}",
            (null, not null) => $", at most {parameter.Max}",
            _ => $", {parameter.Min} to {parameter.Max}",
        };
        var choices = parameter.Choices.Count == 0 ? "" : $", one of {string.Join(" ", parameter.Choices)}";
        var value = parameter.Default is null ? "must be set" : $"default {parameter.Default}";
        return $"{parameter.Name}: {parameter.Type.ToString().ToLowerInvariant()}{bounds}{choices}, {value}{(parameter.Help.Length == 0 ? "" : $" — {parameter.Help}")}";
    }

    private static IEnumerable<(string, IRenderable)> List(string label, IEnumerable<string> lines) =>
        lines.Select((line, i) => (i == 0 ? label : "", (IRenderable)Look.Words(line)));
}
