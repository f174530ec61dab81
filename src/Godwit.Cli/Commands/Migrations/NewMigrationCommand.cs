using System.CommandLine;
using Godwit.Checks;
using Godwit.Migrations;

namespace Godwit.Cli.Commands.Migrations;

/// <summary><c>godwit migrations new</c>: writes a commented YAML file to begin with, and the schema that editors check it by. Needs no server.</summary>
internal static class NewMigrationCommand
{
    private const string Schema = "migration.schema.json";
    private static readonly Argument<string> Name = MigrationArguments.Name();

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("new", "Write a commented migration to begin with, into --migrations or this folder", RunAsync, Name)
    {
        Group = MigrationArguments.Group,
        Examples = ["godwit migrations new 0007_country --migrations ./migrations"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var name = call.Get(Name)!;
        if (!Migration.IsName(name))
        {
            throw new InvalidRequestException([$"'{name}' is no name of a migration: use letters, digits, _, - and . (at most 100)"]);
        }

        var folder = MigrationArguments.Path(call) ?? ".";
        if (!Directory.Exists(folder))
        {
            throw new InvalidRequestException([$"There is no folder {folder} to write the migration to: make it, or name another one with --migrations."]);
        }

        var path = Path.Combine(folder, $"{name}.yaml");
        var text = (await ReadAsync("template.yaml", call.Token)).Replace("NAME", name, StringComparison.Ordinal);
        try
        {
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            await using var writer = new StreamWriter(file);
            await writer.WriteAsync(text.AsMemory(), call.Token);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new InvalidRequestException([$"{path} is there already, and was left as it is."]);
        }

        // The schema is that of this Godwit: an older one there is replaced.
        await File.WriteAllTextAsync(Path.Combine(folder, Schema), await ReadAsync(Schema, call.Token), call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { path });
        }
        else
        {
            call.Output.Text.WriteLine($"Wrote {path}. `godwit migrations validate` reads it, `godwit migrations plan {name}` shows what it would do.");
        }

        return ExitCodes.Done;
    }

    private static async Task<string> ReadAsync(string resource, CancellationToken ct)
    {
        await using var stream = typeof(NewMigrationCommand).Assembly.GetManifestResourceStream($"{typeof(NewMigrationCommand).Namespace}.{resource}")!;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(ct);
    }
}
