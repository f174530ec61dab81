using System.Collections.Concurrent;
using System.CommandLine;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Commands.Migrations;
using Godwit.Cli.Rendering;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Notifications;
using Godwit.Runs;

namespace Godwit.Cli;

/// <summary>One call of one verb: what was written on the command line, and what the verb works with.</summary>
internal sealed class Invocation(ParseResult line, CliEnvironment environment, Output output, CancellationToken ct) : IProgress<NotificationFailure>
{
    private readonly ConcurrentQueue<NotificationFailure> _notNotified = new();

    /// <summary>The machine.</summary>
    public CliEnvironment Environment => environment;

    /// <summary>The streams.</summary>
    public Output Output => output;

    /// <summary>Cancelled by Ctrl-C and SIGTERM.</summary>
    public CancellationToken Token => ct;

    /// <summary>The value of an option; its default when it was not given.</summary>
    public T? Get<T>(Option<T> option) => line.GetValue(option);

    /// <summary>The values of an option that may be given often.</summary>
    public IReadOnlyList<string> All(Option<string[]> option) => line.GetValue(option) ?? [];

    /// <summary>Whether a flag was given.</summary>
    public bool Has(Option<bool> flag) => line.GetResult(flag) is { Implicit: false };

    /// <summary>The value of an argument.</summary>
    public string? Get(Argument<string> argument) => line.GetValue(argument);

    /// <summary>Where text for people is drawn.</summary>
    public Screen Screen() => new(output.Text, output.IsJson ? environment.IsErrorTerminal : environment.IsOutputTerminal, environment);

    /// <summary>Opens the state file alone: for verbs that a server, or its absence, does not concern.</summary>
    public Task<IMigrator> OpenStateAsync(bool create = false)
    {
        var nowhere = new ClickHouseOptions { Url = new Uri(ServerOptions.DefaultServer) };
        var problems = new List<string>();
        var file = ServerOptions.StateFile(this, problems);
        return problems.Count == 0
            ? environment.OpenMigrator(nowhere, file, create, MigratorOptions.Default, ct)
            : throw new InvalidRequestException(problems);
    }

    /// <summary>Opens the state file and the way to the server.</summary>
    /// <param name="create">Whether a missing state file is made.</param>
    /// <param name="problems">What the verb itself found wrong; told together with what is wrong here.</param>
    /// <param name="migrations">Whether the verb may meet a migration, so that their definitions are loaded.</param>
    public Task<IMigrator> OpenAsync(bool create, List<string>? problems = null, bool migrations = false)
    {
        problems ??= [];
        var options = (migrations ? MigrationArguments.Options(this, problems) : MigratorOptions.Default) with
        {
            HookFolder = Get(ServerOptions.HookFolder) ?? environment.Variable("GODWIT_HOOKS"),
            NotificationFailures = this,
        };
        var server = ServerOptions.Server(this, problems);
        var file = ServerOptions.StateFile(this, problems);
        return problems.Count == 0
            ? environment.OpenMigrator(server, file, create, options, ct)
            : throw new InvalidRequestException(problems);
    }

    /// <summary>The one run whose id is, or begins with, what was written; of a migration's name, the newest run of it that has begun, or else its newest one.</summary>
    public async Task<string> FindRunAsync(IMigrator migrator, string written)
    {
        var runs = await migrator.ListAsync(ct);
        var ids = runs.Select(r => r.RunId).Where(id => id.StartsWith(written, StringComparison.Ordinal)).ToList();
        return ids switch
        {
            [] when (runs.FirstOrDefault(r => r.Migration == written && r.HasBegun) ?? runs.FirstOrDefault(r => r.Migration == written)) is { } found => found.RunId,
            _ when ids.Contains(written) => written,
            [var only] when written.Length > 0 => only,
            [] or [_] => throw new RunNotFoundException(written),
            _ => throw new InvalidRequestException(
                [$"{ids.Count} runs begin with '{written}' ({string.Join(", ", ids.Take(5))}{(ids.Count > 5 ? " …" : "")}): write more of the id."]),
        };
    }

    /// <summary>Keeps what did not arrive until the display of the run is gone.</summary>
    public void Report(NotificationFailure value) => _notNotified.Enqueue(value);

    /// <summary>Says, at the end of the verb, which notifications did not arrive.</summary>
    public void TellNotNotified()
    {
        while (_notNotified.TryDequeue(out var failure))
        {
            output.Error.WriteLine($"godwit: {Plain.Clean(failure.Message)}");
        }
    }

    /// <summary>Prints where a run is, as the document or as text, and returns the exit code.</summary>
    public int Show(RunStatus status, Func<RunState, int> exitCode)
    {
        if (output.IsJson)
        {
            output.Document(status);
        }
        else
        {
            Screen().Write(StatusView.Of(status, environment.Clock.GetUtcNow()));
        }

        // A completed run with a problem is one whose clean-up failed.
        var code = status is { State: RunState.Completed, Problem: not null } ? ExitCodes.Failed : exitCode(status.State);
        if (code != ExitCodes.Done)
        {
            output.Error.WriteLine($"godwit: {Plain.Clean(StatusView.Ending(status))}");
        }

        return code;
    }
}
