using System.Security;
using System.Text.RegularExpressions;

namespace Godwit.Notifications;

/// <summary>Where a secret is that must not stand in the store: an environment variable, or a file, of the process that sends.</summary>
/// <param name="IsFile">Whether it is a file.</param>
/// <param name="Name">The variable, or the file's full path.</param>
internal sealed partial record SecretSource(bool IsFile, string Name)
{
    private const int LargestFile = 64 << 10;

    /// <summary>Makes one; null for a bad name, which may be the secret itself and must not be repeated.</summary>
    public static SecretSource? Of(bool isFile, string name) =>
        (isFile ? Path.IsPathFullyQualified(name) && !name.Contains('\0', StringComparison.Ordinal) : VariableForm().IsMatch(name)) ? new SecretSource(isFile, name) : null;

    /// <summary>Reads it.</summary>
    /// <param name="variable">The environment.</param>
    /// <exception cref="NotSentException">It is not there.</exception>
    public string Read(Func<string, string?> variable)
    {
        var text = IsFile ? ReadFile() : variable(Name);
        return string.IsNullOrWhiteSpace(text)
            ? throw new NotSentException($"{(IsFile ? "the file" : "the environment variable")} {Name} is empty or not set for the process that sends ({Environment.MachineName})")
            : text.Trim('\r', '\n');
    }

    /// <summary>env:NAME or file:PATH.</summary>
    public override string ToString() => $"{(IsFile ? "file" : "env")}:{Name}";

    private string ReadFile()
    {
        try
        {
            using var reader = new StreamReader(Name);
            var buffer = new char[LargestFile + 1];
            var length = reader.ReadBlock(buffer);
            return length > LargestFile ? throw new NotSentException($"the file {Name} is larger than {LargestFile >> 10} KiB") : new string(buffer, 0, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException)
        {
            throw new NotSentException($"the file {Name} cannot be read on {Environment.MachineName}: {e.Message}", inner: e);
        }
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableForm();
}
