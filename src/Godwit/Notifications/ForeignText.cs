using System.Text;

namespace Godwit.Notifications;

/// <summary>Words that come from elsewhere: names, errors, answers. They must not steer what shows them, nor be endless.</summary>
internal static class ForeignText
{
    /// <summary>The text without control and direction characters, cut at a length.</summary>
    public static string Clean(string text, int most)
    {
        var clean = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length >= most)
            {
                return clean.Append('…').ToString();
            }

            clean.Append(IsHarmful(rune) ? Rune.ReplacementChar : rune);
        }

        return clean.ToString();
    }

    /// <summary>The same in one line, for sentences, subjects and headers.</summary>
    public static string Line(string text, int most = 200) =>
        Clean(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), most);

    private static bool IsHarmful(Rune rune) =>
        (Rune.IsControl(rune) && rune.Value is not '\n' and not '\t') || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
