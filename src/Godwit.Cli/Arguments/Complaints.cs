using System.CommandLine;
using System.CommandLine.Parsing;

namespace Godwit.Cli.Arguments;

/// <summary>What is wrong with a command line, in sentences that name the option and say what to write.</summary>
internal static class Complaints
{
    /// <summary>All that is wrong; null when nothing is.</summary>
    public static Failure? About(ParseResult line)
    {
        if (line.Errors.Count == 0)
        {
            return null;
        }

        var command = line.CommandResult.Command;
        var sentences = line.Errors.Select(e => Sentence(e, line)).Distinct().ToList();
        if (sentences.Count > 1)
        {
            // Who mistyped the verb, or an option before it, has not forgotten it.
            sentences.Remove(NoVerb(command).Problems[0]);
        }

        return Failure.Usage(sentences, $"`{Name(command)} --help` shows what can be written.");
    }

    /// <summary>Nothing says what to do.</summary>
    /// <param name="command">The program, or the word before verbs that belong together.</param>
    public static Failure NoVerb(Command command) => Failure.Usage(
        [$"A verb is missing: write one of {string.Join(", ", command.Subcommands.Select(c => c.Name))}."], $"`{Name(command)} --help` shows what they do.");

    private static string Name(Command command) =>
        command is RootCommand ? "godwit" : $"{Name(command.Parents.OfType<Command>().First())} {command.Name}";

    private static string Sentence(ParseError error, ParseResult line)
    {
        var command = line.CommandResult.Command;
        if (error.SymbolResult is CommandResult && line.UnmatchedTokens.FirstOrDefault(t => error.Message.Contains($"'{t}'", StringComparison.Ordinal)) is { } token)
        {
            return Unknown(token, command);
        }

        return error.SymbolResult switch
        {
            CommandResult when command.Subcommands.Count > 0 => NoVerb(command).Problems[0],
            CommandResult => $"`{Name(command)}` needs {string.Join(" and ", command.Arguments.Select(a => a.HelpName ?? a.Name))}.",
            ArgumentResult { Argument: var argument } when command.Arguments.Contains(argument) && error.Message.StartsWith("Required", StringComparison.Ordinal) =>
                $"`{Name(command)}` needs {argument.HelpName ?? argument.Name}.",
            OptionResult { Option: var option } result when result.Tokens.Count == 0 => $"{option.Name} needs {option.HelpName ?? "a value"}.",
            OptionResult { Option: var option } result when result.Tokens.Count > 1 && !IsOurs(error) =>
                $"{option.Name} was given {result.Tokens.Count} times; give it once.",
            _ => error.Message,
        };
    }

    // The sentences of our own parsers begin with the option's name.
    private static bool IsOurs(ParseError error) => error.Message.StartsWith("--", StringComparison.Ordinal);

    private static string Unknown(string token, Command command)
    {
        var isOption = token.StartsWith('-');
        var known = isOption
            ? command.Options.Concat(ServerOptions.All).Select(o => o.Name)
            : command.Subcommands.Select(c => c.Name);
        var near = known.OrderBy(name => Distance(token, name)).FirstOrDefault(name => Distance(token, name) is > 0 and <= 3 && Distance(token, name) < token.Length / 2);
        var what = isOption ? "no option" : command.Subcommands.Count > 0 ? "no verb" : "no further argument";
        return $"`{Name(command)}` knows {what} '{token}'" + (near is null ? "." : $"; did you mean {near}?");
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        foreach (var c in a)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (c == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
