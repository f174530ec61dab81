using System.CommandLine;
using System.Text;
using Godwit.Cli.Arguments;

namespace Godwit.Cli;

/// <summary>The help: own pages, because the parser's list every option in one heap.</summary>
internal static class Help
{
    private const int Indent = 34;
    private const int Width = 110;

    /// <summary>Prints the page of a verb, that of verbs that belong together, or the first page.</summary>
    public static int Print(Verb? verb, Command command, Output output)
    {
        var text = verb is not null ? Page(verb) : command is RootCommand ? FirstPage() : GroupPage(command.Name);
        if (output.IsJson)
        {
            output.Document(new { help = text });
        }
        else
        {
            output.Text.Write(text);
        }

        return ExitCodes.Done;
    }

    /// <summary>Prints the version.</summary>
    public static int PrintVersion(Output output)
    {
        if (output.IsJson)
        {
            output.Document(new { version = ProductVersion.Number });
        }
        else
        {
            output.Text.WriteLine(ProductVersion.Text);
        }

        return ExitCodes.Done;
    }

    /// <summary>The page that shows all verbs.</summary>
    internal static string FirstPage()
    {
        var page = new StringBuilder($"{Verbs.Root.Description}\n\nUsage: godwit VERB [ARGUMENTS] [OPTIONS]\n");
        Heading(page, "Verbs");
        foreach (var verb in Verbs.All.Where(v => v.Group is null))
        {
            Entry(page, $"{verb.Command.Name}{Arguments(verb.Command)}", verb.Command.Description);
        }

        foreach (var (group, summary) in Verbs.GroupSummaries)
        {
            Entry(page, $"{group} …", summary);
        }

        Options(page, "Options of every verb", ServerOptions.All);
        Options(page, "Other", [Verbs.HelpFlag, Verbs.VersionFlag]);
        Heading(page, "Exit codes");
        page.Append("  0 done · 1 failed · 2 wrong usage · 3 refused, nothing changed · 4 needs an operator · 130 interrupted\n");
        return page.Append("\n`godwit VERB --help` shows what a verb can be told.\n").ToString();
    }

    /// <summary>The page of verbs that belong together.</summary>
    internal static string GroupPage(string group)
    {
        var page = new StringBuilder($"{Verbs.GroupSummaries[group]}\n\nUsage: godwit {group} VERB [ARGUMENTS] [OPTIONS]\n");
        Heading(page, "Verbs");
        foreach (var verb in Verbs.All.Where(v => v.Group == group))
        {
            Entry(page, $"{verb.Command.Name}{Arguments(verb.Command)}", verb.Command.Description);
        }

        Options(page, "Options of every verb", [.. ServerOptions.All, Verbs.HelpFlag]);
        return page.Append($"\n`godwit {group} VERB --help` shows what a verb can be told.\n").ToString();
    }

    /// <summary>The page of one verb.</summary>
    internal static string Page(Verb verb)
    {
        var page = new StringBuilder($"{verb.Command.Description}\n\nUsage: godwit {verb.FullName}{Arguments(verb.Command)} [OPTIONS]\n");
        if (verb.Command.Arguments.Count > 0)
        {
            page.Append('\n');
        }

        foreach (var argument in verb.Command.Arguments)
        {
            Entry(page, argument.Name, argument.Description);
        }

        foreach (var (heading, options) in verb.Groups)
        {
            Options(page, heading, options);
        }

        Options(page, "Options of every verb", [.. ServerOptions.All, Verbs.HelpFlag]);
        if (verb.Examples.Count > 0)
        {
            Heading(page, verb.Examples.Count == 1 ? "Example" : "Examples");
            page.AppendJoin("", verb.Examples.Select(e => $"  {e}\n"));
        }

        return page.ToString();
    }

    private static string Arguments(Command command) =>
        string.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues > 0 ? $" {a.Name}" : $" [{a.Name}]"));

    private static void Heading(StringBuilder page, string heading) => page.Append($"\n{heading}:\n");

    private static void Options(StringBuilder page, string heading, IReadOnlyList<Option> options)
    {
        Heading(page, heading);
        foreach (var option in options)
        {
            var names = string.Join(", ", option.Aliases.Where(a => a == "-h").Append(option.Name));
            Entry(page, option.HelpName is null ? names : $"{names} {option.HelpName}", option.Description);
        }
    }

    private static void Entry(StringBuilder page, string left, string? right)
    {
        page.Append($"  {left} ".PadRight(Indent));
        var column = Math.Max(Indent, left.Length + 3);
        foreach (var word in (right ?? "").Split(' '))
        {
            if (column + word.Length > Width)
            {
                page.Length--;
                page.Append('\n').Append(' ', Indent);
                column = Indent;
            }

            page.Append(word).Append(' ');
            column += word.Length + 1;
        }

        page.Length--;
        page.Append('\n');
    }
}
