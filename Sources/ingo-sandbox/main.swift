print("ingo-sandbox")
