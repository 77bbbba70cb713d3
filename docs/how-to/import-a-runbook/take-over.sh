# Puts the step of close.yaml in the place of the one of the same name.
awk '
  FNR == NR { text = text $0 "\n"; next }
  /^      close-the-wiki:/ { printf "%s", text; skip = 1; next }
  skip && /^      # upgrade\.md/ { skip = 0 }
  !skip
' close.yaml wiki/procedure.yaml > new.yaml
mv new.yaml wiki/procedure.yaml
