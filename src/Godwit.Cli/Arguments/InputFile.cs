using System.Text;

namespace Godwit.Cli.Arguments;

/// <summary>Small text files that are named on the command line.</summary>
internal static class InputFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text of a file; null, with a sentence added to <paramref name="problems"/>, when it cannot be used.</summary>
    public static string? Read(string path, string option, int maxBytes, List<string> problems)
    {
        try
        {
            // Read up to the limit instead of asking for the length: pipes and devices have none.
            using var stream = File.OpenRead(path);
            var buffer = new byte[maxBytes + 1];
            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            var text = length > maxBytes ? null : Strict.GetString(buffer, 0, length).TrimStart('\uFEFF');
            if (text is null)
            {
                problems.Add($"{option}: {path} is larger than {maxBytes >> 10} KiB; that cannot be meant.");
            }
            else if (string.IsNullOrWhiteSpace(text))
            {
                problems.Add($"{option}: {path} is empty.");
                return null;
            }

            return text;
        }
        catch (DecoderFallbackException)
        {
            problems.Add($"{option}: {path} is not UTF-8 text.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add($"{option}: {path} does not exist.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            problems.Add(Directory.Exists(path) ? $"{option}: {path} is a directory." : $"{option}: {path} cannot be read ({e.Message}).");
        }

        return null;
    }
}
