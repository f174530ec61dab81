using System.CommandLine;

namespace Godwit.Cli;

/// <summary>A verb: its place in the help, and what it does. Made once; a call is an <see cref="Invocation"/>.</summary>
internal sealed class Verb
{
    /// <summary>Defines a verb.</summary>
    /// <param name="name">The word.</param>
    /// <param name="summary">One line; the list of verbs shows it.</param>
    /// <param name="runAsync">Does it, and returns the exit code.</param>
    /// <param name="arguments">What must, or may, follow.</param>
    public Verb(string name, string summary, Func<Invocation, Task<int>> runAsync, params IReadOnlyList<Argument> arguments)
    {
        Command = new Command(name, summary);
        RunAsync = runAsync;
        foreach (var argument in arguments)
        {
            Command.Arguments.Add(argument);
        }
    }

    /// <summary>What the parser knows of it.</summary>
    public Command Command { get; }

    /// <summary>The word before it, for verbs that belong together; null for a verb of its own.</summary>
    public string? Group { get; init; }

    /// <summary>As a person writes it.</summary>
    public string FullName => Group is null ? Command.Name : $"{Group} {Command.Name}";

    /// <summary>Does it, and returns the exit code.</summary>
    public Func<Invocation, Task<int>> RunAsync { get; }

    /// <summary>Its own options, under the headings of its help.</summary>
    public IReadOnlyList<(string Heading, IReadOnlyList<Option> Options)> Groups
    {
        get;
        init
        {
            field = value;
            foreach (var option in value.SelectMany(g => g.Options))
            {
                Command.Options.Add(option);
            }
        }
    } = [];

    /// <summary>Command lines to start from.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];
}
