using System.CommandLine;

namespace Godwit.Cli.Arguments;

/// <summary>What stands behind a verb.</summary>
internal static class Arg
{
    /// <summary>The run that a verb is about.</summary>
    public static Argument<string> Run() => Named("RUN", "The run's id, as much of its beginning as only one run has, or a migration's name");

    /// <summary>The run that a verb is about, or the newest.</summary>
    public static Argument<string> RunOrNewest()
    {
        var argument = Named("RUN", "The run's id, or as much of its beginning as only one run has, or a migration's name [the newest run]");
        argument.Arity = ArgumentArity.ZeroOrOne;
        return argument;
    }

    /// <summary>The table that a verb is about.</summary>
    public static Argument<string> Table() =>
        Named("DB.TABLE", "The table; a part with a dot or another special character stands in quotes: '\"my.db\".events'");

    /// <summary>Something else.</summary>
    public static Argument<string> Text(string name, string description) => Named(name, description);

    private static Argument<string> Named(string name, string description) =>
        new(name) { Description = description, HelpName = name, Arity = ArgumentArity.ExactlyOne };
}
