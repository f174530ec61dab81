using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Godwit.Notifications;

namespace Godwit.Hooks;

/// <summary>
/// A program in the folder of hooks of the process that works on the run, called as <c>NAME pause db.t RUN</c> without a shell. Only its name can be said
/// from outside: what may run is for whoever fills the folder.
/// </summary>
internal sealed partial record CommandHook(string Name) : Hook($"command:{Name}")
{
    // The end of what it says, in pieces as they come.
    private const int MostPieces = 8;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    // The secrets of Godwit are not its commands': passwords, and addresses with passwords in them.
    private const string Own = "GODWIT_";
    private const string OfPostgreSql = "PG";

    /// <summary>Whether a text can be a name: nothing that leads out of the folder.</summary>
    public static bool IsName(string text) => NameForm().IsMatch(text);

    public override async Task CallAsync(HookCall call, CancellationToken ct)
    {
        using var process = Start(call);
        var words = new ConcurrentQueue<string>();
        var reading = Task.WhenAll(ReadAsync(process.StandardError, words), ReadAsync(process.StandardOutput, null));
        try
        {
            await process.WaitForExitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process, call);
            throw;
        }

        if (process.ExitCode != 0)
        {
            // What it has started may keep the other ends open.
            await Task.WhenAny(reading, Task.Delay(LastWords, call.Tools.Clock, ct));
            throw new HookException($"it ended with exit code {process.ExitCode}{Said(words)}");
        }
    }

    // One that runs as somebody else cannot be killed, and one that the kernel holds does not end by that.
    private static async Task EndAsync(Process process, HookCall call)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(LastWords, call.Tools.Clock, CancellationToken.None);
        }
        catch (Exception e) when (e is AggregateException or Win32Exception or InvalidOperationException or TimeoutException)
        {
            throw new HookException($"it was not done in time, and process {process.Id} could not be killed: {e.Message}", e);
        }
    }

    private Process Start(HookCall call)
    {
        // A relative name would be looked for elsewhere, too.
        var path = Path.GetFullPath(
            Name,
            Path.GetFullPath(call.Tools.Folder ?? throw new HookException($"the process that works on the run ({Environment.MachineName}) has no folder of hooks: start it with --hooks FOLDER (GODWIT_HOOKS)")));
        var start = new ProcessStartInfo(path, [call.Action, call.Table.ToString(), call.RunId]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith(Own, StringComparison.Ordinal) || k.StartsWith(OfPostgreSql, StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new HookException($"{path} cannot be started on {Environment.MachineName}: {e.Message}", e);
        }
    }

    private static async Task ReadAsync(StreamReader from, ConcurrentQueue<string>? words)
    {
        var buffer = new char[1024];
        try
        {
            while (await from.ReadAsync(buffer) is var read and > 0)
            {
                words?.Enqueue(new string(buffer, 0, read));
                if (words?.Count > MostPieces)
                {
                    words.TryDequeue(out _);
                }
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException)
        {
            // The process has ended, and nobody waits for what its children say.
        }
    }

    private static string Said(ConcurrentQueue<string> words) => string.Concat(words).Trim() is { Length: > 0 } said ? $": {ForeignText.Line(said)}" : "";

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\z")]
    private static partial Regex NameForm();
}
