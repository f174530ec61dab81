using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Rendering;
using Godwit.Workers;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit settings</c>: shows how the instance is run, and changes it. Needs no server.</summary>
internal static class SettingsCommand
{
    private static readonly Option<string[]> Set = Opt.Many("--set", "NAME=VALUE", "Change a setting; repeatable");
    private static readonly Option<string[]> Unset = Opt.Many("--unset", "NAME", "Give a setting its default back; repeatable");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("settings", "Show or change how workers run this instance", RunAsync)
    {
        Groups = [("Options", [Set, Unset])],
        Examples = ["godwit settings", "godwit settings --set autoStart=true --set timeWindows=22:00-06:00"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var changes = call.All(Set).Select(Parse).Concat(call.All(Unset).Select(name => (Name: name, Value: (string?)null))).ToList();
        var problems = changes.Select(c => c.Value is null ? Unknown(c.Name) : WorkerSettings.Problem(c.Name, c.Value)).OfType<string>().ToList();
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }

        await using var migrator = await call.OpenStateAsync(create: changes.Count > 0);
        foreach (var (name, value) in changes)
        {
            await migrator.SetAsync(name, value, call.Environment.Who, call.Token);
        }

        var settings = await migrator.SettingsAsync(call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(settings.Texts);
        }
        else
        {
            call.Screen().Write(SettingsView.Of(settings));
        }

        return ExitCodes.Done;
    }

    private static string? Unknown(string name) => WorkerSettings.Definitions.Any(d => d.Name == name) ? null : WorkerSettings.Problem(name, "");

    private static (string Name, string? Value) Parse(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (text[..at], text[(at + 1)..])
        : throw new InvalidRequestException([$"--set {text}: write NAME=VALUE."]);
}
