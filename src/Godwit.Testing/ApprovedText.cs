using System.Runtime.CompilerServices;

namespace Godwit.Testing;

/// <summary>Compares a text with the one that was approved before and is kept beside the test.</summary>
/// <example><code>
/// ApprovedText.Require("Approved/0007_country.sql", await lab.ConversationAsync(migration, checkup));
/// </code></example>
public static class ApprovedText
{
    private const string Approve = "GODWIT_APPROVE";

    /// <summary>Requires that the text is the approved one. With the environment variable GODWIT_APPROVE=1 it becomes the approved one.</summary>
    /// <param name="path">The file, relative to the source file of the caller.</param>
    /// <param name="text">The text.</param>
    /// <param name="caller">Filled in by the compiler.</param>
    /// <exception cref="MigrationFaultException">It is another text, or there is none yet.</exception>
    public static void Require(string path, string text, [CallerFilePath] string caller = "")
    {
        ArgumentNullException.ThrowIfNull(text);
        var file = Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(caller))!);
        if (Environment.GetEnvironmentVariable(Approve) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
            return;
        }

        if (!File.Exists(file))
        {
            var then = $"Run the test with {Approve}=1 and read what it wrote:\n{text}";
            throw new MigrationFaultException(path, [new("There is no approved text yet", then)]);
        }

        if (Difference(Lines(File.ReadAllText(file)), Lines(text)) is { } difference)
        {
            var then = $"If it is right, run the test with {Approve}=1 and read the difference in review.";
            throw new MigrationFaultException(path, [new("The text is not the approved one", $"{difference}\n{then}")]);
        }
    }

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").Split('\n');

    private static string? Difference(string[] approved, string[] actual)
    {
        var line = approved.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        return line == approved.Length && line == actual.Length
            ? null
            : $"line {line + 1} is\n  {actual.ElementAtOrDefault(line) ?? "(the end)"}\nrather than\n  {approved.ElementAtOrDefault(line) ?? "(the end)"}";
    }
}
