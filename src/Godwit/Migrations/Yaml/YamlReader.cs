using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Godwit.Migrations.Yaml;

/// <summary>Reads a migration from YAML: one migration a file. docs/migrations.md describes the keys, migration.schema.json checks them in editors.</summary>
internal static class YamlReader
{
    /// <summary>Reads a file's text.</summary>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="text">What is in it.</param>
    /// <returns>The migration; null when there is too little to make one of. And all that is wrong, each with its line.</returns>
    public static (Migration? Migration, IReadOnlyList<DefinitionProblem> Problems) Read(string name, string text)
    {
        var file = new YamlFile(name);
        var migration = Root(text, file) is { } root ? Migration(root) : null;
        return (migration, file.Problems);
    }

    private static YamlMap? Root(string text, YamlFile file)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            stream.Load(reader);
        }
        catch (YamlException e)
        {
            file.Problem(e.Start.Line, $"This is not YAML: {e.Message}");
            return null;
        }

        switch (stream.Documents)
        {
            case [{ RootNode: YamlMappingNode node }]:
                return new YamlMap(node, file);
            case [_, var second, ..]:
                file.Problem(second.RootNode.Start.Line, "A file holds one migration: put the second one into a file of its own.");
                return null;
            default:
                file.Problem(1, "The file holds no migration: begin with 'name: …'.");
                return null;
        }
    }

    private static YamlMigration Migration(YamlMap root)
    {
        var lines = root.Keys.ToDictionary(k => k, root.LineOf, StringComparer.Ordinal);
        var parameters = Parameters(root, lines);
        var names = parameters.Select(p => p.Name).ToList();
        var definition = new YamlDefinition
        {
            Name = root.RequiredText("name"),
            Description = root.RequiredText("description"),
            Versions = Versions(root),
            DependsOn = root.Texts("dependsOn"),
            Requires = Requires(root),
            Parameters = parameters,
            IsRequiredAsync = root.Map("required") is { } required ? YamlChecks.Requirement(required, names) : null,
            Checks = root.Maps("checks").Select(map => YamlChecks.Check(map, names)).OfType<MigrationCheck>().ToList(),
            HealthcheckInterval = root.Time("healthcheckInterval"),
            ProgressAsync = root.Text("progress") is { } sql ? YamlChecks.Progress(root, sql, names) : null,
            Operations = root.Maps("operations").Select(map => YamlOperations.Read(map, names)).OfType<YamlOperation>().ToList(),
        };
        if (root.Maps("operations").Count == 0)
        {
            root.File.Problem(root.LineOf("operations"), "operations is missing: say what the migration does.");
        }

        root.End();
        return new YamlMigration(root.File, lines) { Definition = definition };
    }

    private static VersionWindow Versions(YamlMap root)
    {
        if (root.Map("versions") is not { } map)
        {
            return VersionWindow.Any;
        }

        var window = new VersionWindow(map.Text("from"), map.Text("mustBeDoneBy"));
        map.End();
        return window;
    }

    private static List<ServiceRequirement> Requires(YamlMap root)
    {
        List<ServiceRequirement> requirements = [];
        if (root.Map("requires") is not { } map)
        {
            return requirements;
        }

        foreach (var service in Enum.GetValues<Service>())
        {
            var key = service.ToString().ToLowerInvariant();
            try
            {
                requirements.AddRange(map.Text(key) is { } range ? [new ServiceRequirement(service, VersionRange.Parse(range))] : []);
            }
            catch (FormatException e)
            {
                map.File.Problem(map.LineOf(key), e.Message);
            }
        }

        map.End();
        return requirements;
    }

    private static List<Parameter> Parameters(YamlMap root, Dictionary<string, long> lines)
    {
        List<Parameter> parameters = [];
        var all = root.Map("parameters");
        foreach (var name in all?.Keys ?? [])
        {
            lines[$"parameters/{name}"] = all!.LineOf(name);
            if (all.Map(name) is not { } map)
            {
                continue;
            }

            parameters.Add(new Parameter(name, map.Word<ParameterType>("type") ?? ParameterType.Text)
            {
                Help = map.Text("help") ?? "",
                Default = map.Text("default"),
                Min = map.Text("min"),
                Max = map.Text("max"),
                Choices = map.Texts("choices"),
            });
            map.End();
        }

        return parameters;
    }
}
