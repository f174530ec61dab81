using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Rendering;
using Godwit.Workers;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit settings</c>: shows how the instance is run, and changes it. Needs no server.</summary>
internal static class SettingsCommand
{
    private const int AuditShown = 50;

    private static readonly Option<string[]> Set = Opt.Many("--set", "NAME=VALUE", "Change a setting; repeatable");
    private static readonly Option<string[]> Unset = Opt.Many("--unset", "NAME", "Give a setting its default back; repeatable");
    private static readonly Option<bool> TestNotify = Opt.Flag("--test-notify", "Send a test to everybody whom notify names, and say what came of it");
    private static readonly Option<bool> Audit = Opt.Flag("--audit", "Show who changed and started what, and which notifications did not arrive");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("settings", "Show or change how this instance is run", RunAsync)
    {
        Groups = [("Options", [Set, Unset, TestNotify, Audit])],
        Examples =
        [
            "godwit settings",
            "godwit settings --set autoStart=true --set timeWindows=22:00-06:00",
            "godwit settings --set 'notify=env:SLACK_HOOK smtp://mail.example/?from=godwit@example.com&to=ada@example.com' --test-notify",
        ],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        var changes = call.All(Set).Select(Parse).Concat(call.All(Unset).Select(name => (Name: name, Value: (string?)null))).ToList();
        var problems = changes.SelectMany(c => c.Value is null ? Unknown(c.Name) : WorkerSettings.Problems(c.Name, c.Value)).ToList();
        if (call.Has(TestNotify) && call.Has(Audit))
        {
            problems.Add("--test-notify and --audit show different things: give one of them.");
        }

        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }

        await using var migrator = await call.OpenStateAsync(create: changes.Count > 0);
        foreach (var (name, value) in changes)
        {
            await migrator.SetAsync(name, value, call.Environment.Who, call.Token);
        }

        return call.Has(TestNotify) ? await TestAsync(call, migrator) : call.Has(Audit) ? await AuditAsync(call, migrator) : await ShowAsync(call, migrator);
    }

    private static async Task<int> ShowAsync(Invocation call, IMigrator migrator)
    {
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

    private static async Task<int> TestAsync(Invocation call, IMigrator migrator)
    {
        var targets = await migrator.TestNotificationsAsync(call.Environment.Who, call.Token);
        if (targets.Count == 0)
        {
            throw new InvalidRequestException(["The setting notify names nobody: set it first, as in `godwit settings --set notify=env:SLACK_HOOK`."]);
        }

        var problems = targets.Select(t => t.Problem).OfType<string>().ToList();
        var failure = problems.Count > 0 ? new Failure("failed", ExitCodes.Failed, problems) : null;
        if (call.Output.IsJson)
        {
            call.Output.Document(new { targets, error = failure?.ToDocument() });
        }
        else
        {
            call.Screen().Write(SettingsView.Of(targets));
        }

        return failure is null ? ExitCodes.Done : call.Output.Fail(failure);
    }

    private static async Task<int> AuditAsync(Invocation call, IMigrator migrator)
    {
        var entries = await migrator.AuditAsync(AuditShown, call.Token);
        if (call.Output.IsJson)
        {
            call.Output.Document(new { audit = entries });
        }
        else if (entries.Count == 0)
        {
            call.Output.Text.WriteLine("Nobody has changed a setting or queued a run yet.");
        }
        else
        {
            call.Screen().Write(SettingsView.Of(entries));
        }

        return ExitCodes.Done;
    }

    private static IReadOnlyList<string> Unknown(string name) => WorkerSettings.Definitions.Any(d => d.Name == name) ? [] : WorkerSettings.Problems(name, "");

    private static (string Name, string? Value) Parse(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (text[..at], text[(at + 1)..])
        : throw new InvalidRequestException([$"--set {text}: write NAME=VALUE."]);
}
