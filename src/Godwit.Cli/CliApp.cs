using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Godwit.Cli.Arguments;

namespace Godwit.Cli;

/// <summary>The <c>godwit</c> command: reads the command line, calls the verb, turns what it throws into a sentence and an exit code.</summary>
internal static class CliApp
{
    private static readonly ParserConfiguration Parsing = new()
    {
        // An expression may begin with @, and every option of Godwit has a long name.
        ResponseFileTokenReplacer = null,
        EnablePosixBundling = false,
    };

    /// <summary>Runs one command line to its end.</summary>
    /// <param name="args">Without the program's name.</param>
    /// <param name="out">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="environment">The machine.</param>
    /// <param name="ct">Ctrl-C and SIGTERM.</param>
    /// <returns>See <see cref="ExitCodes"/>.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "The last line: a defect becomes a sentence and exit code 1, not a stack trace.")]
    public static async Task<int> RunAsync(
        IReadOnlyList<string> args, TextWriter @out, TextWriter error, CliEnvironment environment, CancellationToken ct = default)
    {
        var output = new Output(@out, error, ServerOptions.WantsJson(args));
        try
        {
            return await DispatchAsync(args, output, environment, ct);
        }
        catch (Exception e)
        {
            return output.Fail(Failure.From(e) ?? Failure.Defect(e));
        }
    }

    private static async Task<int> DispatchAsync(IReadOnlyList<string> args, Output output, CliEnvironment environment, CancellationToken ct)
    {
        // `godwit help rebuild` is what many people try first.
        args = args.Count == 0 ? ["--help"] : args[0] == "help" ? [.. args.Skip(1), "--help"] : args;
        var line = Verbs.Root.Parse(args, Parsing);
        var verb = Verbs.All.FirstOrDefault(v => v.Command == line.CommandResult.Command);
        if (line.GetResult(Verbs.HelpFlag) is { Implicit: false })
        {
            return Help.Print(verb, line.CommandResult.Command, output);
        }

        if (line.GetResult(Verbs.VersionFlag) is { Implicit: false })
        {
            return Help.PrintVersion(output);
        }

        if (Complaints.About(line) is { } failure)
        {
            return output.Fail(failure);
        }

        if (verb is null)
        {
            return output.Fail(Complaints.NoVerb(line.CommandResult.Command));
        }

        var call = new Invocation(line, environment, output, ct);
        try
        {
            return await verb.RunAsync(call);
        }
        finally
        {
            call.TellNotNotified();
        }
    }
}
