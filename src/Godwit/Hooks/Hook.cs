using Godwit.ClickHouse;
using Godwit.Notifications;
using Godwit.Rebuild;

namespace Godwit.Hooks;

/// <summary>Something outside of Godwit that makes the writers of a table pause, or go on. It is called again when it is not known what came of it.</summary>
/// <param name="Shown">How people may see it: without what is secret in it.</param>
internal abstract record Hook(string Shown)
{
    private const string Forms = "write sql:STATEMENT, https://HOST/PATH, env:NAME or file:/PATH with the address in it, or command:NAME";

    /// <summary>Calls it, and waits until it has done what it is there for.</summary>
    /// <exception cref="HookException">It did not, as far as is known.</exception>
    /// <exception cref="ClickHouseException">The server refused the statement.</exception>
    public abstract Task CallAsync(HookCall call, CancellationToken ct);

    /// <summary>Reads one that a request was accepted with.</summary>
    public static Hook Of(string written) => Read(written, []) ?? throw new InvalidOperationException("A plan has a hook that is none.");

    /// <summary>Reads one.</summary>
    /// <param name="written">How it is written.</param>
    /// <param name="problems">Is given the ends of the sentences that say what is wrong; none repeats what may be secret.</param>
    /// <returns>Null when something is wrong.</returns>
    public static Hook? Read(string written, List<string> problems)
    {
        var (form, rest) = written.Split(':', 2) is [var before, var after] ? (before, after) : (written, "");
        return form.ToUpperInvariant() switch
        {
            "SQL" => SqlText.IsWhole(rest) && rest.Trim().Length > 0 ? new SqlHook(rest.Trim()) : Wrong("holds no whole statement: write sql:STATEMENT", problems),
            "COMMAND" => CommandHook.IsName(rest) ? new CommandHook(rest) : Wrong("names no command: write command:NAME, which is a file of the folder of hooks", problems),
            "HTTP" or "HTTPS" when written.Contains('?', StringComparison.Ordinal) => Wrong("has an address with a ?, behind which there may be a secret: write it into a variable or a file, and env:NAME or file:/PATH", problems),
            "HTTP" or "HTTPS" or "ENV" or "FILE" => NotifyTargets.ReadOne(written, problems) is { } target ? new AddressHook(target) : null,
            _ => Wrong($"is no hook: {Forms}", problems),
        };
    }

    private static Hook? Wrong(string problem, List<string> problems)
    {
        problems.Add(problem);
        return null;
    }
}

/// <summary>What a hook is told, and what it works with.</summary>
/// <param name="Action"><c>pause</c> or <c>resume</c>.</param>
/// <param name="Table">The table whose writers are meant.</param>
/// <param name="RunId">The run that asks.</param>
/// <param name="QueryId">The id for a statement.</param>
/// <param name="Gateway">The server.</param>
/// <param name="Tools">What the process has for hooks.</param>
internal sealed record HookCall(string Action, QualifiedName Table, string RunId, string QueryId, ClickHouseGateway Gateway, HookTools Tools);

/// <summary>What a process has for the hooks of its runs.</summary>
/// <param name="Folder">The folder with the commands that may be called; null for none.</param>
/// <param name="Delivery">How addresses are called.</param>
/// <param name="Clock">The clock.</param>
internal sealed record HookTools(string? Folder, Delivery Delivery, TimeProvider Clock);

/// <summary>A hook did not do what it is there for, as far as is known. The message is the end of a sentence that begins with the hook.</summary>
internal sealed class HookException(string message, Exception? inner = null) : Exception(message, inner);
